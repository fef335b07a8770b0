# A plugin that does what its argument says, at one moment or another.
say() { printf '%s\n' "$1"; }
flood() { tr '\0' x </dev/zero; }

IFS= read -r hello
nonce=${hello#*\"nonce\":\"}; nonce=${nonce%%\"*}
case $1 in
    exits) exit 0 ;;
    dies) kill -BUS $$ ;;
    hangs) exec sleep 600 ;;
    deaf) exec 0<&-; exec sleep 600 ;;
    says-nonsense) say 'Hello, world!'; exec sleep 600 ;;
    says-bytes) printf 'caf\351\n'; exec sleep 600 ;;
    says-no) say '{"id":1,"error":{"code":"generic","message":"no bus"}}'; exec sleep 600 ;;
    one-endless-line) flood ;;
    many-lines) exec yes '{"call":"log","level":"debug","message":"and again"}' ;;
    closes-stdout) exec >&-; exec sleep 600 ;;
    another-nonce) nonce=guessed ;;
esac
printf '{"id":1,"ok":{"ready":{"name":"zoo","version":"1","nonce":"%s","liveness":"ticks"}}}\n' "$nonce"
IFS= read -r start
case $1 in
    later-exits) exit 0 ;;
    later-dies) kill -SEGV $$ ;;
    later-says-nonsense) say 'Traceback:'; exec sleep 600 ;;
    later-one-endless-line) flood ;;
    later-closes-stdout) exec >&-; exec sleep 600 ;;
    later-answers-itself) say '{"id":77,"ok":{}}'; exec sleep 600 ;;
    ignores-stop) trap '' TERM INT HUP; while :; do say '{"call":"tick"}'; sleep 0.2; done ;;
esac
