@echo off
rem What the batch files share: find Python or set it up, ask, pass on what was dropped, keep the window open.
rem
rem     launch.bat STAGE BATCH_FILE [PATH ...]       STAGE is setup, or one of the program's commands
rem
rem How a path comes through unchanged, whatever characters it contains:
rem - No file name contains a quotation mark, so a variable between quotation marks is always safe. Paths stand
rem   nowhere else, never after "call" (which expands its line twice), and there is no delayed expansion (which
rem   removes exclamation marks).
rem - Explorer quotes a dropped path only if it contains a space. Of a bare a&b.mp4, the first argument is only
rem   the "a", so what was dropped is read from the window's own command line.
setlocal EnableExtensions DisableDelayedExpansion
set "ERRORLEVEL="
set "RVM_STAGE=%~1"
set "RVM_BATCH=%~nx2"
rem The program is in the folder that this one is in, wherever the batch file is.
set "RVM_HOME=%~dp0"
set "RVM_HOME=%RVM_HOME:~0,-8%"
set "RVM_CODE=0"
set "RVM_FAILED="
set "RVM_PATHS="
rem Of a drop, the current folder may be the video's: what lies there is not to be run in place of what is meant.
set "PYTHONPATH="
set "NoDefaultCurrentDirectoryInExePath=1"

rem ---- What was dropped, listed in RVM_REST: each path is bare or between bars, which replace quotation marks.
rem Explorer starts:  C:\Windows\system32\cmd.exe /c ""C:\folder\1_segment.bat" C:\a&b.mp4 "C:\c d.mp4""
set "RVM_DROPPED="
set "RVM_LEAVE="
set "RVM_REST="
set "RVM_LINE=%CMDCMDLINE:"=|%"
rem A line of a batch file can have 8191 characters, and no line below contains all that was dropped more than once.
if not "%RVM_LINE:~7900,1%"=="" goto too_much
set "RVM_REST=%RVM_LINE:*||=||%"
if "%RVM_REST:~0,2%"=="||" for /f "tokens=1,* delims=|" %%A in ("%RVM_REST%") do (
    if /i "%%~nxA"=="%RVM_BATCH%" set "RVM_LEAVE=exit"
    set "RVM_DROPPED=%%B"
)
set "RVM_REST="
if not defined RVM_LEAVE goto from_arguments
rem The window was opened for this drop alone. It must end with "exit": after "exit /b", Windows would go on to
rem what follows the & in a dropped a&b.mp4, and run it as a command.
if defined RVM_DROPPED set "RVM_REST=%RVM_DROPPED:~0,-1%"
goto have_paths

:from_arguments
rem Typed in a terminal, or started by another batch file, which must go on afterwards.
set "RVM_LEAVE=exit /b"
set "RVM_COUNT=0"
:next_argument
if "%~3"=="" goto have_paths
set "RVM_REST=%RVM_REST% |%~3|"
set /a RVM_COUNT+=1
shift /3
if not "%RVM_COUNT%"=="9" goto next_argument
echo Please give at most eight at a time here, or drop them all on "%RVM_BATCH%".
:refuse
set "RVM_CODE=2"
call :take_next
if not defined RVM_PATH goto close
echo Not done: "%RVM_PATH%"
goto refuse

:too_much
set "RVM_LEAVE=exit"
echo These are too many at once: Windows passes on no more than 8000 characters. Nothing was done.
echo Drop fewer on "%RVM_BATCH%" at a time, or move them to a folder with a shorter path first.
set "RVM_CODE=2"
goto close

:have_paths
if "%RVM_STAGE%"=="setup" goto have_path
call :take_next
if defined RVM_PATH goto have_path
if "%RVM_STAGE%"=="run" echo Drop videos, or folders of videos, on "%RVM_BATCH%" to have all four steps done, one video after another.
if "%RVM_STAGE%"=="preview" echo Drop a video on "%RVM_BATCH%" to see moments of it in several settings.
if "%RVM_STAGE%"=="segment" echo Drop a video, or a folder of videos, on "%RVM_BATCH%" to cut it into segments.
if "%RVM_STAGE%"=="infer" echo Drop a folder of segments, such as clip_segments, on "%RVM_BATCH%" to matte them.
if "%RVM_STAGE%"=="combine" echo Drop a folder of matted segments, such as clip_segments_matted, on "%RVM_BATCH%" to join them into one video.
if "%RVM_STAGE%"=="deliver" echo Drop a folder of matted segments, such as clip_segments_matted, on "%RVM_BATCH%" to have it in other formats.
if "%RVM_STAGE%"=="deliver-vr" echo Drop a folder of matted segments, such as clip_segments_matted, or its video, on "%RVM_BATCH%" to have it for your headset.
if "%RVM_STAGE%"=="rematte" echo Drop a folder of matted segments, such as clip_segments_matted, on "%RVM_BATCH%" to have a part of the video matted again.
if "%RVM_STAGE%"=="report" echo Drop a folder of matted segments, such as clip_segments_matted, or its video, on "%RVM_BATCH%" to have a page on what was done.
if "%RVM_STAGE%"=="add-audio" echo Drop your original video on "%RVM_BATCH%" to add its audio to the matted video.
set "RVM_CODE=2"
goto close

:have_path
set "RVM_MISSING="
for %%A in (inference_custom.py installation\python_check.py windows\find_python.bat windows\bring_python.bat) do (
    if not exist "%RVM_HOME%%%A" set "RVM_MISSING=%%A"
)
if not defined RVM_MISSING goto have_program
echo The file %RVM_MISSING%, which belongs with "%RVM_BATCH%", is missing.
echo Unpack the whole download into one folder, and use "%RVM_BATCH%" there.
set "RVM_CODE=3"
goto close

rem ---- Python, with all packages. Setup creates a .venv if there is none.
:have_program
rem For files and pipes. To a window, Python and cmd.exe write every alphabet anyway, so no chcp is needed.
set "PYTHONUTF8=1"
if "%RVM_STAGE%"=="setup" goto find_base
:find_python
set "RVM_PURPOSE=ready"
call :find
if defined RVM_PYTHON goto have_python
if defined RVM_SET_UP goto still_missing
:find_base
set "RVM_PURPOSE=base"
call :find
if defined RVM_LOST goto lost
if "%RVM_STAGE%"=="setup" goto set_up

echo.
echo "%RVM_BATCH%" is not set up yet. Setup installs what it needs in the folder .venv beside it. It downloads
echo about 3 GB if there is an NVIDIA graphics card, less if not. That takes minutes, and is needed only once.
:ask_setup
set "RVM_ANSWER="
set /p "RVM_ANSWER=Set it up now? (y/n) [n]: "
if not defined RVM_ANSWER set "RVM_ANSWER=n"
set "RVM_ANSWER=%RVM_ANSWER:"=%"
if /i "%RVM_ANSWER%"=="y" goto set_up
if /i "%RVM_ANSWER%"=="yes" goto set_up
if /i "%RVM_ANSWER%"=="n" goto not_now
if /i "%RVM_ANSWER%"=="no" goto not_now
echo Please type y or n.
goto ask_setup

:not_now
echo Nothing was installed or done. When you are ready, double-click "setup.bat".
set "RVM_CODE=3"
goto close

:set_up
if not defined RVM_PYTHON call :bring
if not defined RVM_PYTHON goto no_python
rem Options are typed: what is dropped on setup.bat is ignored.
set "RVM_SETUP_OPTIONS="
if "%RVM_STAGE%"=="setup" if not "%RVM_LEAVE%"=="exit" set "RVM_SETUP_OPTIONS=%RVM_REST%"
echo Python: "%RVM_PYTHON%" %RVM_PYTHON_ARGS%
"%RVM_PYTHON%" %RVM_PYTHON_ARGS% "%RVM_HOME%installation"
set "RVM_CODE=%ERRORLEVEL%"
if "%RVM_CODE%"=="130" goto interrupted
if "%RVM_CODE%"=="-1073741510" goto interrupted
if "%RVM_STAGE%"=="setup" goto setup_ended
rem If all packages are there, the stage itself says what else is missing.
set "RVM_SET_UP=yes"
echo.
goto find_python

:still_missing
if "%RVM_CODE%"=="0" set "RVM_CODE=3"
goto ended

:setup_ended
rem Setup itself has said what is missing.
if "%RVM_CODE%"=="3" goto close
if not "%RVM_CODE%"=="0" goto ended
echo Now drop your video on "0_all_in_one.bat", or on "1_segment.bat" to go step by step.
goto close

:lost
echo The folder of "%RVM_BATCH%" cannot be opened. Move it to a drive of this computer, and use it there.
set "RVM_CODE=4"
goto close

:no_python
echo.
echo Or get a Python yourself, 3.10 to 3.13, the 64-bit version. Either
echo - open a command window, type   winget install Python.Python.3.13   and press Enter, or
echo - get the "Windows installer (64-bit)" of Python 3.13 from https://www.python.org/downloads/windows/
echo   and tick "Add python.exe to PATH" during the installation.
echo Then use "%RVM_BATCH%" again.
goto close

:have_python
set "RVM_CODE=0"
echo Python: "%RVM_PYTHON%" %RVM_PYTHON_ARGS%

rem ---- Questions. An answer is read only after its quotation marks are removed.
set "RVM_OPTIONS="
set "RVM_LAST_OPTIONS="
if "%RVM_STAGE%"=="segment" goto ask_seconds
if "%RVM_STAGE%"=="infer" goto ask_shutdown
if not "%RVM_STAGE%"=="run" goto count_paths
rem Of one video, the program asks this when it is finished. With several, that would hold up the next.
if defined RVM_REST goto ask_clean
if /i "%RVM_PATH:~-4%"==".txt" goto ask_clean
if not exist "%RVM_PATH%\*" goto ask_shutdown

:ask_clean
set "RVM_ANSWER="
set /p "RVM_ANSWER=Delete the working files of each video that is finished? (y/n) [n]: "
if not defined RVM_ANSWER set "RVM_ANSWER=n"
set "RVM_ANSWER=%RVM_ANSWER:"=%"
set "RVM_OPTIONS=--clean no"
if /i "%RVM_ANSWER%"=="n" goto ask_shutdown
if /i "%RVM_ANSWER%"=="no" goto ask_shutdown
set "RVM_OPTIONS=--clean yes"
if /i "%RVM_ANSWER%"=="y" goto ask_shutdown
if /i "%RVM_ANSWER%"=="yes" goto ask_shutdown
echo Please type y or n.
goto ask_clean

:ask_seconds
set "RVM_ANSWER="
set /p "RVM_ANSWER=Seconds per segment [15]: "
rem What is new is cut into 15 then, and a folder that is cut already keeps its own.
if not defined RVM_ANSWER goto count_paths
set "RVM_ANSWER=%RVM_ANSWER:"=%"
set "RVM_GOOD="
for /f "tokens=1,* delims=0123456789" %%A in ("x%RVM_ANSWER%") do if "%%A%%B"=="x" set "RVM_GOOD=yes"
for /f "delims=0" %%A in ("%RVM_ANSWER%") do if defined RVM_GOOD goto have_seconds
echo Please type a whole number such as 15, or press Enter for 15.
goto ask_seconds
:have_seconds
set "RVM_OPTIONS=--seconds %RVM_ANSWER%"
goto count_paths

:ask_shutdown
set "RVM_LAST_OPTIONS="
set "RVM_ANSWER="
set /p "RVM_ANSWER=Shut the computer down when this is finished? (y/n) [n]: "
if not defined RVM_ANSWER set "RVM_ANSWER=n"
set "RVM_ANSWER=%RVM_ANSWER:"=%"
if /i "%RVM_ANSWER%"=="n" goto count_paths
if /i "%RVM_ANSWER%"=="no" goto count_paths
rem With several folders, the computer is shut down only after the last one.
set "RVM_LAST_OPTIONS=--shutdown"
if /i "%RVM_ANSWER%"=="y" goto count_paths
if /i "%RVM_ANSWER%"=="yes" goto count_paths
echo Please type y or n.
goto ask_shutdown

rem ---- Several are counted: the list is gone through once, and then put back.
:count_paths
set "RVM_NUMBER=0"
set "RVM_TOTAL=0"
set "RVM_SHOWN=%RVM_PATH%"
set "RVM_FAILED=%RVM_REST%"
:count_next
set /a RVM_TOTAL+=1
call :take_next
if defined RVM_PATH goto count_next
set "RVM_PATH=%RVM_SHOWN%"
set "RVM_REST=%RVM_FAILED%"
set "RVM_FAILED="

rem ---- Several videos are one queue, which Python works off by itself. In a line there is no room for their paths.
if not "%RVM_STAGE%"=="run" goto each_path
if "%RVM_TOTAL%"=="1" goto each_path
set "RVM_PATHS=|%RVM_PATH%| %RVM_REST%"
set "RVM_REST="
set "RVM_OPTIONS=%RVM_OPTIONS% %RVM_LAST_OPTIONS%"
echo.
"%RVM_PYTHON%" %RVM_PYTHON_ARGS% "%RVM_HOME%inference_custom.py" run %RVM_OPTIONS%
set "RVM_CODE=%ERRORLEVEL%"
if "%RVM_CODE%"=="130" goto interrupted
if "%RVM_CODE%"=="-1073741510" goto interrupted
goto ended

rem ---- Python runs once for each path, in order, also after one that fails.
:each_path
set /a RVM_NUMBER+=1
set "RVM_SHOWN=%RVM_PATH%"
if not defined RVM_REST set "RVM_OPTIONS=%RVM_OPTIONS% %RVM_LAST_OPTIONS%"
echo.
if "%RVM_TOTAL%"=="1" echo "%RVM_PATH%"
if not "%RVM_TOTAL%"=="1" echo %RVM_NUMBER% of %RVM_TOTAL%: "%RVM_PATH%"
rem Python reads \" as a quotation mark, so every backslash at the very end, as in D:\, is doubled.
set "RVM_TAIL=%RVM_PATH%"
:double_backslash
if not "%RVM_TAIL:~-1%"=="\" goto run_python
set "RVM_PATH=%RVM_PATH%\"
set "RVM_TAIL=%RVM_TAIL:~0,-1%"
if defined RVM_TAIL goto double_backslash
:run_python
"%RVM_PYTHON%" %RVM_PYTHON_ARGS% "%RVM_HOME%inference_custom.py" %RVM_STAGE% "%RVM_PATH%" %RVM_OPTIONS%
set "RVM_LAST=%ERRORLEVEL%"
if "%RVM_CODE%"=="0" set "RVM_CODE=%RVM_LAST%"
rem The second number is Windows' own code for a program that Ctrl+C ended.
if "%RVM_LAST%"=="130" goto interrupted
if "%RVM_LAST%"=="-1073741510" goto interrupted
rem (Bars alone between them: this list is never longer than the one that was dropped.)
if not "%RVM_LAST%"=="0" set "RVM_FAILED=%RVM_FAILED%|%RVM_SHOWN%"
call :take_next
if defined RVM_PATH goto each_path

:ended
echo.
call :name_failed
if "%RVM_CODE%"=="0" echo Done.
if not "%RVM_CODE%"=="0" echo This did not finish: exit code %RVM_CODE%. The text above says what to do.
goto close

:interrupted
echo.
call :name_failed
set "RVM_THEN=it continues where it stopped"
for %%A in (segment combine add-audio preview report) do if "%RVM_STAGE%"=="%%A" set "RVM_THEN=this step begins anew"
echo Interrupted. Start it again in the same way, and %RVM_THEN%.

:close
if not "%RVM_NO_PAUSE%"=="1" pause
%RVM_LEAVE% %RVM_CODE%

rem ---- Moves the first path of RVM_REST to RVM_PATH; leaves both without a value if there is none.
:take_next
set "RVM_PATH="
set "RVM_TAKE="
if defined RVM_REST for /f "tokens=* delims= " %%A in ("%RVM_REST%") do set "RVM_TAKE=%%A"
set "RVM_REST="
if not defined RVM_TAKE exit /b 0
set "RVM_END= "
if "%RVM_TAKE:~0,1%"=="|" set "RVM_END=|"
rem (eol is a bar, with which no path begins; some begin with the default, a semicolon.)
for /f "eol=| tokens=1,* delims=%RVM_END%" %%A in ("%RVM_TAKE%") do (
    set "RVM_PATH=%%A"
    set "RVM_TAKE=%%B"
)
for /f "tokens=* delims= " %%A in ("%RVM_TAKE%") do set "RVM_REST=%%A"
exit /b 0

rem ---- Names those of several that failed.
:name_failed
if not defined RVM_FAILED exit /b 0
if "%RVM_TOTAL%"=="1" exit /b 0
set "RVM_TAKE="
for /f "eol=| tokens=1,* delims=|" %%A in ("%RVM_FAILED%") do (
    echo Not finished: "%%A"
    set "RVM_TAKE=%%B"
)
set "RVM_FAILED=%RVM_TAKE%"
goto name_failed

rem ---- Sets RVM_PYTHON and RVM_PYTHON_ARGS; leaves them without a value if there is no such Python. "call" expands its
rem line twice, so it is given no path, but a file in the current folder.
:find
set "RVM_PYTHON="
set "RVM_LOST=yes"
pushd "%RVM_HOME%windows"
if exist ".\find_python.bat" set "RVM_LOST="
if defined RVM_LOST exit /b 0
call .\find_python.bat
popd
exit /b 0

rem ---- Sets RVM_PYTHON to a Python in the folder .python, which is fetched; or says why not, and sets RVM_CODE.
:bring
echo No suitable Python was found: one is brought into the folder .python, for this program alone.
pushd "%RVM_HOME%windows"
call .\bring_python.bat
popd
exit /b 0
