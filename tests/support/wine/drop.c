/* Starts command lines exactly as Explorer does, and answers their questions.

   Explorer passes Windows one string, which no list of arguments can express: there are quotation marks only
   around paths with a space. This program reads its instructions from the UTF-8 file named by its only argument,
   a word and a value in each line, and writes results beside it:

     folder C:\somewhere     the current folder; also for the runs that follow
     set NAME=VALUE          a variable, also for the runs that follow; without a value it is removed
     type TEXT               a line typed at the keyboard
     key TEXT                the same without Enter
     end                     nothing more is typed: stdin is closed after that
     until TEXT              the run is ended if it still waits half a second after printing that
     output C:\file          where all output goes
     start COMMAND LINE      runs it, then writes "EXIT_CODE TYPED" to the results, TYPED being how many of the
                             lines and keys were read; "timeout TYPED" if it had to be ended, at the latest when
                             it has printed nothing for 20 s; "not-started ERROR" if Windows refused

   Each line or key is held back until the previous one has been read, as with a real keyboard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define LONGEST 32768
#define PATIENCE_MS 20000
#define WAITING_MS 500

static char typed[32][256];
static int typed_count, typed_ends;
static char until[256];
static wchar_t output[LONGEST];

static int is_printed(const char *text) {
    static char printed[LONGEST * 3];
    FILE *screen = _wfopen(output, L"rb");
    if (!screen) return 0;
    printed[fread(printed, 1, sizeof printed - 1, screen)] = 0;
    fclose(screen);
    return strstr(printed, text) != NULL;
}

static void run(wchar_t *command_line, FILE *results) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    STARTUPINFOW startup;
    PROCESS_INFORMATION process;
    HANDLE keyboard, typist, screen;
    DWORD end = GetTickCount() + PATIENCE_MS, size = 0, unread = 0, code = 0, count;
    int next = 0, ended = 0, waits = 0;

    /* Windows' cmd.exe sets this variable itself; Wine's does not know it. */
    SetEnvironmentVariableW(L"CMDCMDLINE", command_line);
    CreatePipe(&keyboard, &typist, &inherited, 0);
    SetHandleInformation(typist, HANDLE_FLAG_INHERIT, 0);
    screen = CreateFileW(output, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, CREATE_ALWAYS, 0, NULL);
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = keyboard;
    startup.hStdOutput = startup.hStdError = screen;
    if (!CreateProcessW(NULL, command_line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        fprintf(results, "not-started %d\n", (int)GetLastError());
        return;
    }
    for (;;) {
        ended = WaitForSingleObject(process.hProcess, 10) == WAIT_OBJECT_0;
        PeekNamedPipe(keyboard, NULL, 0, NULL, &unread, NULL);
        if (ended || GetTickCount() > end) break;
        if (!waits && GetFileSize(screen, NULL) != size) {
            size = GetFileSize(screen, NULL);
            waits = *until && is_printed(until);
            end = GetTickCount() + (waits ? WAITING_MS : PATIENCE_MS);
        }
        if (unread) continue;
        if (next < typed_count) {
            WriteFile(typist, typed[next], strlen(typed[next]), &count, NULL);
            next++;
        } else if (typed_ends && typist) {
            CloseHandle(typist);
            typist = NULL;
        }
    }
    if (!ended) TerminateProcess(process.hProcess, 1);
    GetExitCodeProcess(process.hProcess, &code);
    if (ended) fprintf(results, "%d %d\n", (int)code, next - (unread ? 1 : 0));
    else fprintf(results, "timeout %d\n", next - (unread ? 1 : 0));
    fflush(results);
    if (typist) CloseHandle(typist);
    CloseHandle(keyboard);
    CloseHandle(screen);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
}

int wmain(int argc, wchar_t **argv) {
    static char line[LONGEST * 3];
    static wchar_t value[LONGEST];
    wchar_t *equals;
    char *rest;
    FILE *cases, *results;

    if (argc != 2 || !(cases = _wfopen(argv[1], L"rb"))) return 1;
    swprintf(value, LONGEST, L"%ls.results", argv[1]);
    if (!(results = _wfopen(value, L"wb"))) return 1;
    while (fgets(line, sizeof line, cases)) {
        line[strcspn(line, "\n")] = 0;
        rest = line + strcspn(line, " ");
        if (*rest) *rest++ = 0;
        MultiByteToWideChar(CP_UTF8, 0, rest, -1, value, LONGEST);
        if (!strcmp(line, "folder")) {
            if (!SetCurrentDirectoryW(value)) return 3;
        } else if (!strcmp(line, "set")) {
            if (!(equals = wcschr(value, '='))) return 4;
            *equals++ = 0;
            SetEnvironmentVariableW(value, *equals ? equals : NULL);
        } else if (!strcmp(line, "type") || !strcmp(line, "key")) {
            if (typed_count == 32) return 5;
            snprintf(typed[typed_count++], sizeof typed[0], "%s%s", rest, *line == 't' ? "\n" : "");
        } else if (!strcmp(line, "end")) {
            typed_ends = 1;
        } else if (!strcmp(line, "until")) {
            snprintf(until, sizeof until, "%s", rest);
        } else if (!strcmp(line, "output")) {
            wcscpy(output, value);
        } else if (!strcmp(line, "start")) {
            run(value, results);
            typed_count = typed_ends = 0;
        } else {
            return 6;
        }
    }
    fclose(results);
    return 0;
}
