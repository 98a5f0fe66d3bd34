@echo off
rem Finds a Python and sets RVM_PYTHON and RVM_PYTHON_ARGS to it. Called by launch.bat, in this folder.
rem
rem     RVM_PURPOSE=ready     one that can run the program, with all its packages
rem     RVM_PURPOSE=base      one that a .venv can be created from
rem
rem Each Python runs installation\python_check.py, which says whether it is suitable: 0 if it is, 90 if it is not, and
rem why is printed; any other code if it does not start, like the python.exe that only opens the Microsoft Store.
set "RVM_PYTHON="
set "RVM_PYTHON_ARGS="
set "RVM_TRY_ARGS="
set "RVM_SAY=yes"
rem Newer versions of py.exe may be set to download a Python that they are asked for.
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=false"
if "%RVM_PURPOSE%"=="base" goto base

set "RVM_TRY=%RVM_HOME%.venv\Scripts\python.exe"
call :try

rem A virtual environment activated inside conda's base leaves both active; the inner one is meant.
set "RVM_TRY="
if defined VIRTUAL_ENV set "RVM_TRY=%VIRTUAL_ENV%\Scripts\python.exe"
call :try
set "RVM_TRY="
if defined CONDA_PREFIX set "RVM_TRY=%CONDA_PREFIX%\python.exe"
call :try

if defined RVM_PYTHON exit /b 0
set "RVM_ENVIRONMENT="
if defined CONDA_EXE for %%A in ("%CONDA_EXE%") do set "RVM_ENVIRONMENT=%%~dpA..\envs\rvm"
if defined RVM_ENVIRONMENT for %%A in ("%RVM_ENVIRONMENT%") do set "RVM_ENVIRONMENT=%%~fA"
if defined RVM_ENVIRONMENT call :try_conda
for %%A in ("%USERPROFILE%" "%LOCALAPPDATA%" "%ProgramData%") do (
    for %%B in (miniconda3 anaconda3 miniforge3 mambaforge .conda) do (
        set "RVM_ENVIRONMENT=%%~A\%%B\envs\rvm"
        if not "%%~A"=="" call :try_conda
    )
)

rem Nothing is said about those without the packages: most Pythons have none of them.
set "RVM_SAY="
set "RVM_VERSIONS=-3 -3.13 -3.12 -3.11 -3.10"
call :try_launcher
call :try_path
exit /b 0

:base
rem "-3" comes last: it says why the newest is not suitable, if no other is.
set "RVM_VERSIONS=-3.13 -3.12 -3.11 -3.10 -3"
call :try_launcher
call :try_path
for %%V in (313 312 311 310) do (
    set "RVM_TRY="
    if defined LOCALAPPDATA set "RVM_TRY=%LOCALAPPDATA%\Programs\Python\Python%%V\python.exe"
    call :try
    set "RVM_TRY="
    if defined ProgramFiles set "RVM_TRY=%ProgramFiles%\Python%%V\python.exe"
    call :try
)
for %%A in ("%USERPROFILE%" "%LOCALAPPDATA%" "%ProgramData%") do (
    for %%B in (miniconda3 anaconda3 miniforge3 mambaforge) do (
        set "RVM_TRY=%%~A\%%B\python.exe"
        if not "%%~A"=="" call :try
    )
)
exit /b 0

rem ---- py.exe, with each version. It and python.exe are looked up on the PATH only, not in the current folder.
:try_launcher
set "RVM_TRY="
for %%A in (py.exe) do set "RVM_TRY=%%~$PATH:A"
for %%A in (%RVM_VERSIONS%) do (
    set "RVM_TRY_ARGS=%%A"
    call :try
)
if not defined RVM_PYTHON set "RVM_TRY_ARGS="
exit /b 0

rem ---- python.exe; also one after the Microsoft Store's, which does not start and often comes first.
:try_path
set "RVM_TRY="
for %%A in (python.exe) do set "RVM_TRY=%%~$PATH:A"
if not defined RVM_TRY exit /b 0
rem (A substitution in a variable without a value would leave half a line, and end the batch file.)
set "RVM_QUIET=%RVM_SAY%"
if not "%RVM_TRY:WindowsApps=%"=="%RVM_TRY%" set "RVM_SAY="
call :try
set "RVM_SAY=%RVM_QUIET%"
set "RVM_FIRST=%RVM_TRY%"
set "RVM_SEARCH=%PATH:"=%"
set "RVM_SEARCH=%RVM_SEARCH:WindowsApps=%"
for %%A in (python.exe) do set "RVM_TRY=%%~$RVM_SEARCH:A"
if not "%RVM_TRY%"=="%RVM_FIRST%" call :try
exit /b 0

rem ---- Takes RVM_TRY as the Python if none is found yet and it is suitable.
:try
if defined RVM_PYTHON exit /b 0
if not defined RVM_TRY exit /b 0
if not exist "%RVM_TRY%" exit /b 0
if defined RVM_SAY goto try_aloud
"%RVM_TRY%" %RVM_TRY_ARGS% "%RVM_HOME%installation\python_check.py" %RVM_PURPOSE% <nul >nul 2>nul
goto tried
:try_aloud
"%RVM_TRY%" %RVM_TRY_ARGS% "%RVM_HOME%installation\python_check.py" %RVM_PURPOSE% <nul 2>nul
:tried
set "RVM_LAST=%ERRORLEVEL%"
if "%RVM_LAST%"=="0" goto take
if "%RVM_LAST%"=="90" exit /b 0
if defined RVM_TRY_ARGS exit /b 0
if defined RVM_SAY echo Not used, because it does not start: "%RVM_TRY%"
exit /b 0
:take
set "RVM_PYTHON=%RVM_TRY%"
set "RVM_PYTHON_ARGS=%RVM_TRY_ARGS%"
exit /b 0

rem ---- The same for the conda environment in RVM_ENVIRONMENT. It is not activated, so its libraries are found only
rem through the PATH.
:try_conda
if defined RVM_PYTHON exit /b 0
set "RVM_TRY=%RVM_ENVIRONMENT%\python.exe"
call :try
if not defined RVM_PYTHON exit /b 0
set "PATH=%RVM_ENVIRONMENT%;%RVM_ENVIRONMENT%\Library\mingw-w64\bin;%RVM_ENVIRONMENT%\Library\usr\bin;%RVM_ENVIRONMENT%\Library\bin;%RVM_ENVIRONMENT%\Scripts;%PATH%"
exit /b 0
