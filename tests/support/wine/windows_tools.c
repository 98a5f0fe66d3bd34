/* Stands in for the programs that windows\bring_python.bat runs, each under its own name. Started as

   curl.exe       copies what the folder C:\served has under the address's last part; of https://host/fails-N, it exits
                  with N.
   certutil.exe   prints the file's real SHA-256, as Windows' own does.
   tar.exe        unpacks an archive that is the one file in it.
   uv-....exe     "installs" Python: copies C:\python.exe. With a variable UV_SAYS, prints that and fails.
   powershell.exe does nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>
#include <bcrypt.h>

#define LONGEST 4096

static const wchar_t *after(int argc, wchar_t **argv, const wchar_t *option) {
    int i;
    for (i = 1; i + 1 < argc; i++)
        if (!wcscmp(argv[i], option)) return argv[i + 1];
    return L"";
}

static void create_folders_of(wchar_t *path) {
    wchar_t *c;
    for (c = path; *c; c++)
        if (*c == L'/') *c = L'\\';
    for (c = path + 3; *c; c++) {
        if (*c != L'\\') continue;
        *c = 0;
        CreateDirectoryW(path, NULL);
        *c = L'\\';
    }
}

static int curl(int argc, wchar_t **argv) {
    wchar_t served[LONGEST];
    const wchar_t *to = after(argc, argv, L"--output"), *url = argv[argc - 1];
    swprintf(served, LONGEST, L"C:\\served\\%ls", wcsrchr(url, L'/') + 1);
    if (CopyFileW(served, to, FALSE)) return 0;
    return wcsstr(url, L"/fails-") ? _wtoi(wcsrchr(url, L'-') + 1) : 22;
}

static int certutil(const wchar_t *path) {
    unsigned char digest[32], block[4096];
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash;
    size_t got;
    int i;
    FILE *file = _wfopen(path, L"rb");
    if (!file) return 2;
    BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0);
    BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0);
    while ((got = fread(block, 1, sizeof block, file))) BCryptHashData(hash, block, (ULONG)got, 0);
    BCryptFinishHash(hash, digest, sizeof digest, 0);
    fclose(file);
    printf("SHA256 hash of %ls:\n", path);
    for (i = 0; i < 32; i++) printf("%02x", digest[i]);
    printf("\nCertUtil: -hashfile command completed successfully.\n");
    return 0;
}

static int uv(int argc, wchar_t **argv) {
    wchar_t own[LONGEST], path[LONGEST];
    if (argc > 1 && !wcscmp(argv[1], L"--version")) return 0;
    if (GetEnvironmentVariableW(L"UV_SAYS", own, LONGEST)) {
        fprintf(stderr, "%ls\n", own);
        return 2;
    }
    GetEnvironmentVariableW(L"UV_PYTHON_INSTALL_DIR", own, LONGEST);
    swprintf(path, LONGEST, L"%ls\\%ls\\python.exe", own, argv[argc - 1]);
    create_folders_of(path);
    return CopyFileW(L"C:\\python.exe", path, FALSE) ? 0 : 3;
}

int wmain(int argc, wchar_t **argv) {
    wchar_t program[LONGEST], path[LONGEST], *name;
    GetModuleFileNameW(NULL, program, LONGEST);
    name = wcsrchr(program, L'\\') + 1;
    if (!wcscmp(name, L"curl.exe")) return curl(argc, argv);
    if (!wcscmp(name, L"certutil.exe")) return certutil(argv[2]);
    if (!wcscmp(name, L"tar.exe")) {
        swprintf(path, LONGEST, L"%ls\\%ls", after(argc, argv, L"-C"), argv[argc - 1]);
        GetFullPathNameW(path, LONGEST, program, NULL);
        create_folders_of(program);
        return CopyFileW(argv[2], program, FALSE) ? 0 : 1;
    }
    if (!wcsncmp(name, L"uv-", 3)) return uv(argc, argv);
    return 0;
}
