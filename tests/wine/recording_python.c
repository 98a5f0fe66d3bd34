/* Stands in for python.exe in the tests of the batch files: writes down what it was given.

   Appends one record to the file named by RVM_RECORD: the program's own path, its exact command line, each
   argument and what it sees of its surroundings, as "key=value" lines in UTF-8 with an empty line after each
   record. Exits with the n-th number of RVM_EXIT for the n-th record (the last one serves the rest).
   A question with -c, which the batch files ask to see whether a Python starts, is answered with 0 and not
   written down; where a file "python.exe.broken" lies beside the program, with 9009, as the Microsoft
   Store's stand-in does. */
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

int wmain(int argc, wchar_t **argv) {
    static wchar_t program[LONGEST], path[LONGEST];
    static char line[LONGEST * 3];
    FILE *record;
    int i, earlier = 0;

    GetModuleFileNameW(NULL, program, LONGEST - 16);
    for (i = 1; i < argc; i++) {
        if (wcscmp(argv[i], L"-c")) continue;
        wcscat(program, L".broken");
        return GetFileAttributesW(program) == INVALID_FILE_ATTRIBUTES ? 0 : 9009;
    }
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
    fputs("\n", record);
    fclose(record);
    return exit_code_of(earlier);
}
