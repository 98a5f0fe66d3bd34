@echo off
rem Drop videos or folders of videos here: all four steps are done for each video, one after another.
if not exist "%~dp0windows\launch.bat" goto incomplete

rem Without "call", which would interpret a path's percent signs and carets a second time. So this does not return.
"%~dp0windows\launch.bat" run "%~f0" "%~1" "%~2" "%~3" "%~4" "%~5" "%~6" "%~7" "%~8" "%~9"

:incomplete
echo Some files that belong with this one are missing.
echo Unpack the whole download into one folder, and use "%~nx0" there.
if not "%RVM_NO_PAUSE%"=="1" pause
rem Not "exit /b": after a drop of a&b.mp4, the window would go on to run b.mp4 as a command.
exit 3
