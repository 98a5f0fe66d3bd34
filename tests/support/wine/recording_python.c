/* Stands in for python.exe in the tests of the batch files: records what it was given.

   Appends one record to the file named by RVM_RECORD: the program's own path, its exact command line, each
   argument, the current folder and some variables, as "key=value" lines in UTF-8 with an empty line after each
   record. Exits with the n-th number of RVM_EXIT for the n-th record (with the last one after that).
   python_check.py, by which the batch files learn whether a Python is suitable, exits with 0 and is not
   recorded. A file beside the program changes that: "python.exe.broken" to 9009, as from the Microsoft
   Store's stand-in; "python.exe.old" to 90 and a sentence, for any purpose; "python.exe.bare" to the same if
   all packages are needed. Beside a "py.exe.versions", py.exe has only those versions that files such as
   "py.exe-3.12" name.
   Started with ...\\installation, it makes a copy of itself at RVM_MAKES. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define LONGEST 32768

static void put(FILE *record, const char *key, const wchar_t *value) {
    static char utf8[LONGEST * 3];
    WideCharToMultiByte(CP_UTF8, 0, value, -1, utf8, sizeof utf8, NULL, NULL);
    fprintf(record, "%s=%s\n", key, utf8);
}

static void put_variable(FILE *record, const wchar_t *name) {
    static wchar_t value[LONGEST], line[LONGEST + 64];
    if (!GetEnvironmentVariableW(name, value, LONGEST)) return;
    swprintf(line, LONGEST + 64, L"%ls=%ls", name, value);
    put(record, "variable", line);
}

static int exit_code_of(int number) {
    char codes[256] = "0";
    char *word;
    int code = 0;
    GetEnvironmentVariableA("RVM_EXIT", codes, sizeof codes);
    for (word = strtok(codes, " "); word && number-- >= 0; word = strtok(NULL, " ")) code = atoi(word);
    return code;
}

static int ends(const wchar_t *text, const wchar_t *end) {
    size_t length = wcslen(text), short_length = wcslen(end);
    return length >= short_length && !wcscmp(text + length - short_length, end);
}

static int beside(const wchar_t *program, const wchar_t *name) {
    static wchar_t file[LONGEST];
    swprintf(file, LONGEST, L"%ls%ls", program, name);
    return GetFileAttributesW(file) != INVALID_FILE_ATTRIBUTES;
}

static int not_used(const char *why) {
    printf("Not used: %s\n", why);
    return 90;
}

int wmain(int argc, wchar_t **argv) {
    static wchar_t program[LONGEST], path[LONGEST];
    static char line[LONGEST * 3];
    FILE *record;
    int i, earlier = 0;

    GetModuleFileNameW(NULL, program, LONGEST - 16);
    for (i = 1; i + 1 < argc; i++) {
        if (!ends(argv[i], L"\\python_check.py")) continue;
        if (beside(program, L".broken")) return 9009;
        if (i > 1 && beside(program, L".versions") && !beside(program, argv[1])) return 103;
        if (beside(program, L".old")) return not_used("it is too old.");
        if (beside(program, L".bare") && !wcscmp(argv[i + 1], L"ready")) return not_used("a package is missing.");
        return 0;
    }
    if (argc > 1 && ends(argv[argc - 1], L"\\installation") && GetEnvironmentVariableW(L"RVM_MAKES", path, LONGEST))
        CopyFileW(program, path, FALSE);
    if (!GetEnvironmentVariableW(L"RVM_RECORD", path, LONGEST)) return 99;
    if (!(record = _wfopen(path, L"a+b"))) return 98;
    while (fgets(line, sizeof line, record)) earlier += !strncmp(line, "program=", 8);
    fseek(record, 0, SEEK_END);
    put(record, "program", program);
    put(record, "line", GetCommandLineW());
    for (i = 1; i < argc; i++) put(record, "argument", argv[i]);
    GetCurrentDirectoryW(LONGEST, path);
    put(record, "folder", path);
    put_variable(record, L"PYTHONUTF8");
    put_variable(record, L"PATH");
    put_variable(record, L"RVM_BATCH");
    put_variable(record, L"RVM_PATHS");
    put_variable(record, L"RVM_SETUP_OPTIONS");
    fputs("\n", record);
    fclose(record);
    return exit_code_of(earlier);
}
