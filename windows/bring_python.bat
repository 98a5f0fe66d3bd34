@echo off
rem Brings a Python into the folder .python of the program, and sets RVM_PYTHON to it. Called by launch.bat, in this
rem folder, if no other serves. Where that fails, says why, and sets RVM_CODE.
rem
rem uv is fetched first, compared with its SHA-256 (installation\uv.txt), and run only then; it does the same with the
rem Python. What is there already is not fetched again. Only programs of Windows itself are used until then.
set "RVM_TOOLS=%SystemRoot%\System32"
set "RVM_OWN=%RVM_HOME%.python"
set "RVM_LOG=..\.python\download.log"
set "RVM_PART=..\.python\part.%RANDOM%"
set "RVM_VERSION="
for /f "usebackq eol=# tokens=1-3" %%A in ("..\installation\uv.txt") do (
    if "%%A"=="version" set "RVM_VERSION=%%B"
    if "%%A %%B"=="python windows-x86_64" set "RVM_FOLDER=%%C"
)
set "RVM_WHAT=The file installation\uv.txt, which belongs with this one, is missing."
set "RVM_HINT=Unpack the whole download into one folder, and start it there."
set "RVM_CODE=3"
if not defined RVM_VERSION goto failed
set "RVM_UV=..\.python\uv-%RVM_VERSION%.exe"

for /d %%A in ("..\.python\part.*") do rmdir /s /q "%%~A" 2>nul
if not exist "..\.python\" mkdir "..\.python" 2>nul
mkdir "%RVM_PART%" 2>nul
set "RVM_PROBLEM=disk"
if not exist "%RVM_PART%\" goto stop
type nul >"%RVM_LOG%" 2>nul
if not exist "%RVM_LOG%" goto stop

set "RVM_PROBLEM=unreached"
set "RVM_SERVER=github.com"
if exist "%RVM_UV%" goto have_uv
for /f "usebackq eol=# tokens=1-5" %%A in ("..\installation\uv.txt") do (
    set "RVM_SHA256=%%C"
    set "RVM_FILE=%%D"
    set "RVM_URL=%%E"
    if "%%A %%B"=="archive windows-x86_64" if not exist "%RVM_UV%" call :fetch_uv
)
if not exist "%RVM_UV%" goto stop

:have_uv
"%RVM_UV%" --version >nul 2>>"%RVM_LOG%"
set "RVM_PROBLEM=program"
if not "%ERRORLEVEL%"=="0" del "%RVM_UV%" 2>nul
if not exist "%RVM_UV%" goto stop
if not exist "%RVM_OWN%\%RVM_FOLDER%\python.exe" echo Getting Python (about 30 MB), which takes a minute or two
set "UV_PYTHON="
set "UV_MANAGED_PYTHON="
set "UV_NO_MANAGED_PYTHON="
set "UV_PYTHON_INSTALL_DIR=%RVM_OWN%"
set "UV_CACHE_DIR=%RVM_OWN%\cache"
set "UV_SYSTEM_CERTS=1"
set "UV_NO_CONFIG=1"
set "UV_PYTHON_DOWNLOADS=automatic"
call :find_proxy
"%RVM_UV%" python install --no-bin --no-registry "%RVM_FOLDER%" >"%RVM_PART%\said" 2>&1
set "RVM_LAST=%ERRORLEVEL%"
type "%RVM_PART%\said" >>"%RVM_LOG%"
if "%RVM_LAST%"=="0" if exist "%RVM_OWN%\%RVM_FOLDER%\python.exe" goto have_python
set "RVM_PROBLEM=unreached"
for %%A in ("HTTP status" "407 " "403 " "proxy") do (
    "%RVM_TOOLS%\find.exe" %%A "%RVM_PART%\said" >nul
    if not errorlevel 1 set "RVM_PROBLEM=refused"
)
for %%A in ("hecksum" "ash mismatch") do (
    "%RVM_TOOLS%\find.exe" %%A "%RVM_PART%\said" >nul
    if not errorlevel 1 set "RVM_PROBLEM=other"
)
for %%A in ("certificate" "UnknownIssuer") do (
    "%RVM_TOOLS%\find.exe" %%A "%RVM_PART%\said" >nul
    if not errorlevel 1 set "RVM_PROBLEM=trust"
)
for %%A in ("os error 112" "No space left") do (
    "%RVM_TOOLS%\find.exe" %%A "%RVM_PART%\said" >nul
    if not errorlevel 1 set "RVM_PROBLEM=disk"
)
goto stop

:have_python
set "RVM_CODE=0"
set "RVM_PYTHON=%RVM_OWN%\%RVM_FOLDER%\python.exe"
set "RVM_PYTHON_ARGS="
goto clean

rem ---- Fetches RVM_UV from RVM_URL; where that fails, sets RVM_PROBLEM.
:fetch_uv
for /f "tokens=2 delims=/" %%A in ("%RVM_URL%") do set "RVM_SERVER=%%A"
echo Getting uv from %RVM_SERVER% (about 20 MB)
set "RVM_ARCHIVE=%RVM_PART%\archive.zip"
if exist "%RVM_ARCHIVE%" del "%RVM_ARCHIVE%"
"%RVM_TOOLS%\curl.exe" --fail --location --silent --show-error --retry 2 --connect-timeout 30 --speed-limit 1000 --speed-time 60 --output "%RVM_ARCHIVE%" "%RVM_URL%" 2>>"%RVM_LOG%"
set "RVM_LAST=%ERRORLEVEL%"
if "%RVM_LAST%"=="0" goto compare
set "RVM_PROBLEM=unreached"
if "%RVM_LAST%"=="23" set "RVM_PROBLEM=disk"
for %%A in (22 56) do if "%RVM_LAST%"=="%%A" set "RVM_PROBLEM=refused"
for %%A in (35 51 58 60 77) do if "%RVM_LAST%"=="%%A" set "RVM_PROBLEM=trust"
rem PowerShell knows Windows' own proxy, which curl.exe does not, and says who uses it.
"%RVM_TOOLS%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$ProgressPreference='SilentlyContinue'; [Net.ServicePointManager]::SecurityProtocol='Tls12'; [Net.WebRequest]::DefaultWebProxy.Credentials=[Net.CredentialCache]::DefaultNetworkCredentials; Invoke-WebRequest -UseBasicParsing -Uri $env:RVM_URL -OutFile $env:RVM_ARCHIVE" <nul >>"%RVM_LOG%" 2>&1
if not exist "%RVM_ARCHIVE%" exit /b 0

:compare
set "RVM_PROBLEM=other"
"%RVM_TOOLS%\certutil.exe" -hashfile "%RVM_ARCHIVE%" SHA256 >"%RVM_PART%\sha256" 2>>"%RVM_LOG%"
"%RVM_TOOLS%\find.exe" "%RVM_SHA256%" "%RVM_PART%\sha256" >nul
if errorlevel 1 exit /b 0
set "RVM_PROBLEM=disk"
set "RVM_UNPACKED=%RVM_PART%\%RVM_FILE:/=\%"
"%RVM_TOOLS%\tar.exe" -xf "%RVM_ARCHIVE%" -C "%RVM_PART%" "%RVM_FILE%" 2>>"%RVM_LOG%"
if exist "%RVM_UNPACKED%" move /y "%RVM_UNPACKED%" "%RVM_UV%" >nul 2>>"%RVM_LOG%"
exit /b 0

rem ---- Tells uv, and later pip, of Windows' own proxy.
:find_proxy
if defined HTTPS_PROXY exit /b 0
"%RVM_TOOLS%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$u=[uri]'https://github.com/'; $p=[Net.WebRequest]::GetSystemWebProxy().GetProxy($u); if ($p -ne $u) {'proxy ' + $p.AbsoluteUri}" <nul >"%RVM_PART%\proxy" 2>nul
for /f "usebackq tokens=1,2" %%A in ("%RVM_PART%\proxy") do if "%%A"=="proxy" set "HTTPS_PROXY=%%B"
exit /b 0

rem ---- Each reason has its sentences once, whether it hinders uv's download or Python's.
:stop
set "RVM_AGAIN=then start it again: what is there already stays."
set "RVM_CODE=3"
set "RVM_WHAT=%RVM_SERVER% cannot be reached: is this computer offline?"
set "RVM_HINT=Connect it to the internet (behind a proxy, set HTTPS_PROXY to its address), %RVM_AGAIN%"
if "%RVM_PROBLEM%"=="disk" set "RVM_CODE=4"
if "%RVM_PROBLEM%"=="disk" set "RVM_WHAT=The folder .python cannot be written: the disk is full, or the folder is protected."
if "%RVM_PROBLEM%"=="disk" set "RVM_HINT=Free some space (10 GB are enough), or move the program's folder, %RVM_AGAIN%"
if "%RVM_PROBLEM%"=="trust" set "RVM_WHAT=The connection to %RVM_SERVER% is not trusted: a virus scanner or a company's proxy inspects it."
if "%RVM_PROBLEM%"=="trust" set "RVM_HINT=Have its certificate added to Windows', or use another network, %RVM_AGAIN%"
if "%RVM_PROBLEM%"=="other" set "RVM_WHAT=What came from %RVM_SERVER% is not the file that was asked for: a proxy or a sign-in page may have answered."
if "%RVM_PROBLEM%"=="other" set "RVM_HINT=Open https://%RVM_SERVER% in a browser, and sign in if a page asks for that, %RVM_AGAIN%"
if "%RVM_PROBLEM%"=="refused" set "RVM_WHAT=%RVM_SERVER%, or a proxy in between, refused the download."
if "%RVM_PROBLEM%"=="refused" set "RVM_HINT=Behind a proxy, set HTTPS_PROXY to its address, such as http://proxy.example:8080, %RVM_AGAIN%"
if "%RVM_PROBLEM%"=="program" set "RVM_WHAT=uv was fetched, but does not start: Windows or a virus scanner may hold it back."
if "%RVM_PROBLEM%"=="program" set "RVM_HINT=Allow uv-%RVM_VERSION%.exe in the folder .python, %RVM_AGAIN%"

:failed
echo.
echo %RVM_WHAT%
echo %RVM_HINT%
if exist "%RVM_LOG%" echo What the programs themselves said is in .python\download.log
:clean
if exist "%RVM_PART%\" rmdir /s /q "%RVM_PART%" 2>nul
exit /b 0
