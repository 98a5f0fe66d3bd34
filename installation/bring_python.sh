#!/bin/sh
# Brings a Python into the folder .python of the program, and prints its path. setup.sh runs this if no other serves.
#
# uv is fetched first, compared with its SHA-256 (uv.txt), and run only then; it does the same with the Python.
# What is there already is not fetched again. All that is said goes to stderr.
home=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 2
table=$home/installation/uv.txt
own=$home/.python
log=$own/download.log
part=$own/part.$$
unset UV_PYTHON UV_MANAGED_PYTHON UV_NO_MANAGED_PYTHON # which would have it look for another
again="then run setup.sh again: what is there already stays."
trap 'rm -rf "$part"' EXIT
trap 'exit 130' HUP INT TERM

say() { printf '%s\n' "$*" >&2; }

fail() { # EXIT-CODE WHAT HINT
    say ""
    say "$2"
    say "$3"
    [ ! -s "$log" ] || say "What the programs themselves said is in $log"
    exit "$1"
}

host_of() { host=${1#*://} && host=${host%%/*}; }

# Each reason has its sentences once, whether it hinders uv's download or Python's.
stop_for() {
    case $1 in
        disk) fail 4 "$own cannot be written: the disk is full, or the folder is protected." \
            "Free some space (10 GB are enough), or move the program's folder, $again" ;;
        trust) fail 3 "The connection to $host is not trusted: something in between, such as a company's proxy, inspects it." \
            "Have its certificate added to this system's, or use another network, $again" ;;
        other) fail 3 "What came from $host is not the file that was asked for: a proxy or a sign-in page may have answered." \
            "Open https://$host in a browser, and sign in if a page asks for that, $again" ;;
        refused) fail 3 "$host, or a proxy in between, refused the download." \
            "Behind a proxy, set HTTPS_PROXY to its address, such as http://proxy.example:8080, $again" ;;
        program) fail 3 "uv was fetched, but it does not start on this system." \
            "Install a Python 3.10 to 3.13 as said below, $again" ;;
        *) fail 3 "$host cannot be reached: is this computer offline?" \
            "Connect it to the internet (behind a proxy, set HTTPS_PROXY to its address), $again" ;;
    esac
}

download() { # ADDRESS FILE; sets problem where it fails
    if command -v curl > /dev/null; then
        curl --fail --location --silent --show-error --retry 2 --connect-timeout 30 \
            --speed-limit 1000 --speed-time 60 --output "$2" "$1" 2>> "$log"
        ended=curl-$?
    elif command -v wget > /dev/null; then
        wget -q -T 60 -O "$2" "$1" 2>> "$log"
        ended=wget-$?
    else
        fail 3 "Neither curl nor wget is here to download with." "Install one of them, or a Python, $again"
    fi
    case $ended in
        *-0) return 0 ;;
        curl-23 | wget-3) problem=disk ;;
        curl-35 | curl-5[18] | curl-60 | curl-77 | wget-5) problem=trust ;;
        curl-22 | wget-8) problem=refused ;;
        *) problem=unreached ;;
    esac
    ! grep -q 'CONNECT' "$log" || problem=refused # the proxy itself, whose code is that of a broken connection
    return 1
}

sha256_of() {
    if command -v sha256sum > /dev/null; then
        sha256sum "$1"
    elif command -v shasum > /dev/null; then
        shasum -a 256 "$1"
    else
        openssl dgst -sha256 -r "$1"
    fi 2>> "$log"
}

fetch_uv() { # SHA-256 FILE ADDRESS; sets problem where it fails
    host_of "$3"
    say "Getting uv from $host (about 20 MB)"
    download "$3" "$part/archive" || return 1
    found=$(sha256_of "$part/archive")
    if [ "${found%% *}" != "$1" ]; then
        problem=other
        return 1
    fi
    tar -xzf "$part/archive" -C "$part" "$2" 2>> "$log" && chmod +x "$part/$2" && mv -f "$part/$2" "$uv" || stop_for disk
}

bring_uv() {
    while read -r row where sha256 file address; do
        if [ "$row $where" = "archive $platform" ] && fetch_uv "$sha256" "$file" "$address"; then
            return 0
        fi
    done < "$table"
    stop_for "$problem"
}

bring_python() {
    [ -x "$python" ] || say "Getting Python (about 30 MB), which takes a minute or two"
    UV_PYTHON_INSTALL_DIR=$own UV_CACHE_DIR=$part/cache UV_SYSTEM_CERTS=1 UV_NO_CONFIG=1 \
        UV_PYTHON_DOWNLOADS=automatic "$uv" python install --no-bin "$folder" > "$part/said" 2>&1 && return 0
    cat "$part/said" >> "$log"
    host="the server of Python's builds (github.com)"
    if grep -qiE 'os error 28|No space left' "$part/said"; then
        stop_for disk
    elif grep -qiE 'certificate|UnknownIssuer' "$part/said"; then
        stop_for trust
    elif grep -qiE 'checksum|hash' "$part/said"; then
        host=github.com
        stop_for other
    elif grep -qiE 'HTTP status|40[37] |proxy' "$part/said"; then
        stop_for refused
    fi
    stop_for unreached
}

case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-amd64) platform=linux-x86_64 ;;
    Linux-aarch64 | Linux-arm64) platform=linux-aarch64 ;;
    Darwin-arm64) platform=macos-aarch64 ;;
    Darwin-*) fail 3 "PyTorch is no longer made for Macs with a processor by Intel." "Use another computer." ;;
    *) fail 3 "There is no Python to bring for this kind of computer." "Install Python 3.13 yourself, $again" ;;
esac
[ -f "$table" ] || fail 3 "The file $table is missing." "Unpack the whole download into one folder, $again"
while read -r row first second _; do
    case "$row $first" in
        version*) version=$first ;;
        "python $platform") folder=$second ;;
    esac
done < "$table"
uv=$own/uv-$version
python=$own/$folder/bin/python3

rm -rf "$own"/part.* 2> /dev/null
mkdir -p "$part" 2> /dev/null && : > "$log" || stop_for disk
problem=unreached
host=github.com
[ -x "$uv" ] || bring_uv
"$uv" --version > /dev/null 2>> "$log" || { rm -f "$uv"; stop_for program; }
bring_python
printf '%s\n' "$python"
