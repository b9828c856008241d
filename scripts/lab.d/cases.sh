# The cases of the lab: traffic, harm in between, and what must come of it. Sourced by scripts/lab.
# shellcheck shell=bash
# shellcheck disable=SC2154  # work, count, rate, cases, NS_* and the like come from scripts/lab and net.sh

# What the last run saw: host a (client), host b (server), the bridge. Names as in the JSON of the programs.
declare -A A=() B=() M=()
# Retransmissions of both hosts in a run over the plain bridge, by shape of traffic.
declare -A BASELINE=()
failures=0
wrong=()

readonly EVERY=20               # each so many-th message is harmed, or bad
readonly STALL_MS=150           # a host that woke up this late was not running: its timers prove nothing
readonly ATTEMPTS=3
readonly ROW='%-12s %7s %8s %8s %6s %6s %7s %8s %7s %7s %6s  %s\n'

failed() {
    wrong+=("$*")
}

# expect WHAT ACTUAL OPERATOR WANTED, the operator one of [[ ]] for numbers
expect() {
    local what=$1 actual=$2 operator=$3 wanted=$4 holds=0
    case $operator in
        -eq) [[ $actual -eq $wanted ]] && holds=1 ;;
        -ge) [[ $actual -ge $wanted ]] && holds=1 ;;
        -le) [[ $actual -le $wanted ]] && holds=1 ;;
        *) die "expect: operator $operator" ;;
    esac
    ((holds)) || failed "$what: $actual, wanted $operator $wanted"
}

# load_json ARRAY FILE: the numbers of one flat JSON object.
load_json() {
    local -n into=$1
    local pair
    into=()
    while read -r pair; do
        # shellcheck disable=SC2034  # the caller's array under another name
        into[${pair%%:*}]=${pair##*:}
    done < <(grep -o '"[a-z0-9_]*":[0-9-]*' "$2" | tr -d '"')
}

# wait_line FILE PID WHAT: until the process has said "ready".
wait_line() {
    local tenths
    for ((tenths = 0; tenths < 200; tenths++)); do
        if grep -q '^ready$' "$1"; then
            return
        fi
        kill -0 "$2" 2>/dev/null || die_log "$3" "${1%.out}.err"
        sleep 0.1
    done
    die "$3 does not get ready"
}

# shape_arguments SHAPE: options of both endpoints, into the array `shape_options`.
shape_arguments() {
    case $1 in
        plain) shape_options=() ;;
        bundle) shape_options=(--bundle --burst 20) ;;
        fragment) shape_options=(--bundle --burst 4 --path-mtu 512 --segment 80) ;;
        large) shape_options=(--pad 1000 --path-mtu 512) ;;
        bad) shape_options=(--bad-every "$EVERY") ;;
        *) die "no shape \"$1\"" ;;
    esac
}

# traffic NAME SHAPE COUNT INTERFACE INTERFACE HOOK [BRIDGE OPTION ...]
# One association from start to end; the interfaces are the bridge's, both empty for the wire without a bridge. HOOK
# runs while messages flow; empty: none. Fills A, B and M.
traffic() {
    local name=$1 shape=$2 messages=$3 left=$4 right=$5 hook=$6
    local a=$HOST_A b=$HOST_B out=$work/$name shape_options=() common seconds=0 limit status=0
    shift 6
    shape_arguments "$shape"
    limit=$((messages / rate + 90))
    rm -f "$out".*
    touch "$out.b.out" "$out.middle.out"
    common=(--count "$messages" --rate "$rate" --deadline "$limit" "${shape_options[@]}")
    if [[ -n $left ]]; then
        ip netns exec "$NS_M" "$work/middle" --tap "$out.pcap" "$@" "$left" "$right" >"$out.middle.out" \
            2>"$out.middle.err" &
        middle_pid=$!
        wait_line "$out.middle.out" "$middle_pid" "the bridge"
    else
        a=$WIRE_A b=$WIRE_B
    fi
    ip netns exec "$NS_B" "$work/endpoint" --server --local "$b" --remote "$a" "${common[@]}" >"$out.b.out" 2>"$out.b.err" &
    server_pid=$!
    wait_line "$out.b.out" "$server_pid" "host b"
    ip netns exec "$NS_A" "$work/endpoint" --client --local "$a" --remote "$b" "${common[@]}" >"$out.a.out" 2>"$out.a.err" &
    client_pid=$!
    if [[ -n $hook ]]; then
        "$hook"
    fi
    while kill -0 "$client_pid" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        if [[ -t 2 ]]; then
            printf '\r  %s: %s s ' "$name" "$seconds" >&2
        elif ((seconds % 10 == 0)); then
            note "$name: $seconds s"
        fi
    done
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    wait "$client_pid" || status=$?
    ((status == 0)) || failed "host a ended with status $status: $(tail -n 1 "$out.a.err")"
    client_pid='' status=0
    wait "$server_pid" || status=$?
    ((status == 0)) || failed "host b ended with status $status: $(tail -n 1 "$out.b.err")"
    server_pid=''
    M=()
    if [[ -n $left ]]; then
        kill -TERM "$middle_pid"
        wait "$middle_pid" || failed "the bridge ended badly: $(tail -n 1 "$out.middle.err")"
        middle_pid=''
        load_json M "$out.middle.out"
    fi
    load_json A "$out.a.out"
    load_json B "$out.b.out"
    ((${#A[@]} > 0 && ${#B[@]} > 0)) || die_log "the report of $name" "$out.a.err"
}

# What holds in every case, whatever is done in between.
expect_sound() {
    local side
    expect "host a finished" "${A[complete]}" -eq 1
    expect "host b finished" "${B[complete]}" -eq 1
    for side in a b; do
        local -n host=${side^^}
        expect "associations up at host $side" "${host[up]}" -eq 1
        expect "associations lost at host $side" "${host[lost]}" -eq 0
        expect "associations restarted at host $side" "${host[restarted]}" -eq 0
        expect "ABORTs sent by host $side" "${host[aborted]}" -eq 0
        expect "on a wrong stream at host $side" "${host[wrong_stream]}" -eq 0
        expect "neither MAP nor filler at host $side" "${host[foreign]}" -eq 0
        expect "bad SCTP checksums at host $side" "${host[bad_checksum]}" -eq 0
        expect "bad verification tags at host $side" "${host[bad_vtag]}" -eq 0
    done
    if ((${#M[@]} > 0)); then
        for side in ab ba; do
            expect "bad CRC32c on the wire, $side" "${M[${side}_bad_crc]}" -eq 0
            expect "bad headers on the wire, $side" "${M[${side}_bad_header]}" -eq 0
            expect "frames beyond the MTU on the wire, $side" "${M[${side}_too_long]}" -eq 0
            expect "frames the bridge was too slow for, $side" "${M[${side}_overrun]}" -eq 0
        done
    fi
}

# Nothing lost, doubled, altered or out of order: what did not arrive as sent arrived as a filler.
expect_conserved() {
    expect "misordered at host b" "${B[misordered]}" -eq 0
    expect "misordered at host a" "${A[misordered]}" -eq 0
    expect "doubled at host b" "${B[duplicated]}" -eq 0
    expect "doubled at host a" "${A[duplicated]}" -eq 0
    expect "altered at host b" "${B[altered]}" -eq 0
    expect "altered at host a" "${A[altered]}" -eq 0
    expect "requests lost" "$(lost_requests)" -eq 0
    expect "answers lost" "$(lost_answers)" -eq 0
}

lost_requests() {
    echo $((A[sent] + A[bad_sent] - B[received] - B[bad_received] - B[neutral] - B[altered]))
}

lost_answers() {
    echo $((B[answered] - A[received] - A[neutral] - A[altered]))
}

retransmissions() {
    echo $((A[retransmitted] + B[retransmitted]))
}

# expect_refused AT_HOST_B AT_HOST_A
expect_refused() {
    expect "requests refused" "${B[neutral]}" -eq "$1"
    expect "answers refused" "${A[neutral]}" -eq "$2"
}

expect_quiet() {
    expect "retransmissions" "$(retransmissions)" -eq 0
}

# The bridge saw the traffic that the case is about.
expect_shape() {
    case $1 in
        bundle) expect "packets with several messages" "${M[ab_bundles]}" -ge 20 ;;
        fragment | large) expect "DATA chunks that are part of a message" "${M[ab_fragments]}" -ge $((2 * A[sent])) ;;
    esac
}

# ---------------------------------------------------------------- without gateways

direct_case() {
    local name=$1 every=$EVERY
    case $name in
        wire) traffic "$name" plain "$count" '' '' '' ;;
        middle) traffic "$name" plain "$count" ga-home gb-home '' ;;
        bundle | fragment | large | bad) traffic "$name" "$name" "$count" ga-home gb-home '' ;;
        tamper | replay) traffic "$name" plain "$count" ga-home gb-home '' "--$name" "$every" ;;
        late) traffic "$name" plain "$count" ga-home gb-home '' --late 100 ;;
        loss) traffic "$name" plain "$count" ga-home gb-home '' --drop 50 --way both ;;
        double) traffic "$name" plain "$count" ga-home gb-home '' --double 50 --way both ;;
    esac
    expect_sound
    expect "answers due" "${B[answered]}" -eq "${B[received]}"
    case $name in
        wire | middle | bundle | fragment | large)
            expect_conserved
            expect_refused 0 0
            expect_quiet
            expect_shape "$name"
            ;;
        bad)
            expect_conserved
            expect_refused 0 0
            expect "bad requests seen" "${B[bad_received]}" -eq "${A[bad_sent]}"
            expect "bad requests sent" "${A[bad_sent]}" -eq $((count / every))
            expect_quiet
            ;;
        tamper)
            expect "requests tampered with" "${M[ab_tampered]}" -ge $((count / every - 2))
            expect "requests seen altered" "${B[altered]}" -eq "${M[ab_tampered]}"
            expect "requests lost" "$(lost_requests)" -eq 0
            expect_quiet
            ;;
        replay)
            expect "requests replayed" "${M[ab_replayed]}" -ge $((count / every - 2))
            expect "requests seen twice" "${B[duplicated]}" -eq "${M[ab_replayed]}"
            expect "requests overlaid, so missing" "$(lost_requests)" -eq "${M[ab_replayed]}"
            expect_quiet
            ;;
        late)
            expect "requests held back" "${M[ab_late]}" -ge $((count / 100 - 2))
            expect "fillers seen" "${B[neutral]}" -ge "${M[ab_late]}"
            expect "requests out of order" "${B[misordered]}" -eq "${M[ab_late]}"
            expect "answers out of order" "${A[misordered]}" -eq "${M[ab_late]}"
            expect_quiet
            ;;
        loss)
            expect_conserved
            expect "packets lost" "${M[ab_dropped]}" -ge $((count / 50 - 2))
            expect "retransmissions seen" "$(retransmissions)" -ge "${M[ab_dropped]}"
            ;;
        double)
            expect_conserved
            expect "packets doubled" "${M[ab_doubled]}" -ge $((count / 50 - 2))
            expect "TSNs seen twice" "${B[duplicate_tsn]}" -ge "${M[ab_doubled]}"
            expect_quiet
            ;;
    esac
}

# ---------------------------------------------------------------- with gateways

shape_of() {
    case $1 in
        bundle | fragment | large | bad) echo "$1" ;;
        *) echo plain ;;
    esac
}

measure_baselines() {
    local name shape
    for name in "${cases[@]}"; do
        shape=$(shape_of "$name")
        [[ -z ${BASELINE[$shape]:-} ]] || continue
        note "baseline, $shape: the bridge alone"
        traffic "baseline-$shape" "$shape" "$count" ga-home gb-home ''
        expect_sound
        expect_conserved
        ((${#wrong[@]} == 0)) || { printf '  %s\n' "${wrong[@]}" >&2; die "the lab does not work without gateways; try --direct"; }
        BASELINE[$shape]=$(retransmissions)
    done
}

# restart SIDE SIGNAL, 3 s into the traffic
restart() {
    sleep 3
    kill -0 "$client_pid" 2>/dev/null || failed "the traffic ended before the restart"
    stop_gateway "$1" "$2" || failed "gateway $1 did not end well"
    start_gateway "$1"
    kill -0 "$client_pid" 2>/dev/null || failed "the traffic ended during the restart"
}

hook_restart_a() { restart a TERM; }
hook_restart_b() { restart b TERM; }
hook_kill_a() { restart a KILL; }
hook_kill_b() { restart b KILL; }

# Each good message crossed the wire between the gateways, and signed. A forged one may cross, but not as ours.
expect_signed() {
    expect "requests signed on the wire" "${M[ab_signed]}" -ge "${A[sent]}"
    expect "answers signed on the wire" "${M[ba_signed]}" -eq "${B[answered]}"
    expect "unsigned requests on the wire" $((M[ab_messages] - M[ab_signed])) -le "${A[bad_sent]}"
    expect "unsigned answers on the wire" $((M[ba_messages] - M[ba_signed])) -eq 0
}

# A dissector that is not ours finds nothing wrong with what crossed.
expect_dissected() {
    local malformed
    if command -v tshark >/dev/null; then
        malformed=$(tshark -r "$work/$1.pcap" -Y _ws.malformed 2>/dev/null | wc -l)
        expect "frames tshark calls malformed" "$malformed" -eq 0
    else
        note "no tshark here: nobody else dissected the signed messages"
    fi
}

gateway_case() {
    local name=$1 shape side wire=(mid-a mid-b)
    shape=$(shape_of "$name")
    case $name in
        pass | bundle | fragment | large | bad) traffic "$name" "$shape" "$count" "${wire[@]}" '' ;;
        tamper) traffic "$name" plain "$count" "${wire[@]}" '' --tamper "$EVERY" --signed ;;
        tamper-back) traffic "$name" plain "$count" "${wire[@]}" '' --tamper "$EVERY" --signed --way ba ;;
        replay) traffic "$name" plain "$count" "${wire[@]}" '' --replay "$EVERY" --signed ;;
        loss) traffic "$name" plain "$count" "${wire[@]}" '' --drop 50 --way both ;;
        double) traffic "$name" plain "$count" "${wire[@]}" '' --double 50 --way both ;;
        restart-* | kill-*) traffic "$name" plain $((rate * 12)) "${wire[@]}" "hook_${name/-/_}" ;;
    esac
    for side in a b; do
        gateway_alive "$side" || die_log "gateway $side died in case $name" "$work/$side/gateway.log"
    done
    save_counters "$name"
    expect_sound
    expect_conserved
    expect_signed
    expect "bad requests that passed" "${B[bad_received]}" -eq 0
    case $name in
        pass)
            expect_refused 0 0
            expect_dissected "$name"
            ;;
        bundle | fragment | large)
            expect_refused 0 0
            expect_shape "$name"
            expect_dissected "$name"
            ;;
        bad) expect_refused "${A[bad_sent]}" 0 ;;
        tamper)
            expect "requests tampered with" "${M[ab_tampered]}" -ge $((count / EVERY - 2))
            expect_refused "${M[ab_tampered]}" 0
            ;;
        tamper-back)
            expect "answers tampered with" "${M[ba_tampered]}" -ge $((count / EVERY - 2))
            expect_refused 0 "${M[ba_tampered]}"
            ;;
        replay)
            expect "requests replayed" "${M[ab_replayed]}" -ge $((count / EVERY - 2))
            expect_refused "${M[ab_replayed]}" 0
            ;;
        loss)
            expect "packets lost" "${M[ab_dropped]}" -ge $((count / 50 - 2))
            expect_refused 0 0
            ;;
        double)
            expect "packets doubled" "${M[ab_doubled]}" -ge $((count / 50 - 2))
            expect_refused 0 0
            ;;
        restart-*) expect_refused 0 0 ;;    # the gateway goes on from its replay memory
        kill-*)
            # It left no memory: what was signed before it started and came after that is refused (cold_start: strict).
            expect "requests refused" "${B[neutral]}" -le $((rate * 2))
            expect "answers refused" "${A[neutral]}" -le $((rate * 2))
            expect "requests since the last refusal" "${B[clean_tail]}" -ge "$rate"
            expect "answers since the last refusal" "${A[clean_tail]}" -ge "$rate"
            ;;
    esac
    case $name in
        loss | restart-* | kill-*) ;;       # retransmissions are the point
        *) expect "retransmissions caused by the gateways" $(($(retransmissions) - BASELINE[$shape])) -le 0 ;;
    esac
}

# ---------------------------------------------------------------- the table

table_head() {
    # shellcheck disable=SC2059
    printf "$ROW" case sent received answers lost order doubled refused retrans caused up result
}

# row NAME MODE
row() {
    local caused=- up=no result=held shape
    shape=$(shape_of "$1")
    case $1 in
        loss | restart-* | kill-*) ;;
        *) [[ $2 == direct ]] || caused=$(($(retransmissions) - BASELINE[$shape])) ;;
    esac
    ((A[up] != 1 || B[up] != 1 || A[lost] + B[lost] + A[aborted] + B[aborted] > 0)) || up=yes
    ((${#wrong[@]} == 0)) || result=FAILED
    # shellcheck disable=SC2059
    printf "$ROW" "$1" $((A[sent] + A[bad_sent])) "${B[received]}" "${A[received]}" \
        $(($(lost_requests) + $(lost_answers))) $((A[misordered] + B[misordered])) $((A[duplicated] + B[duplicated])) \
        $((A[neutral] + B[neutral])) "$(retransmissions)" "$caused" "$up" "$result"
    printf '{"case":"%s","held":%s,"a":%s,"b":%s}\n' "$1" "$([[ $result == held ]] && echo true || echo false)" \
        "$(tail -n 1 "$work/$1.a.out")" "$(tail -n 1 "$work/$1.b.out")" >>"$work/results.jsonl"
    ((${#wrong[@]} == 0)) || printf '    %s\n' "${wrong[@]}"
}

# run_cases direct|gateway: each case again, at most twice, where it failed while the machine did not let a host run.
run_cases() {
    local name attempt
    for name in "${cases[@]}"; do
        for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
            wrong=()
            note "case $name"
            "${1}_case" "$name"
            ((${#wrong[@]} > 0 && A[stall_ms] > STALL_MS && attempt < ATTEMPTS)) || break
            note "case $name: ${wrong[0]}; host a was not run for ${A[stall_ms]} ms, so once more"
        done
        row "$name" "$1"
        ((${#wrong[@]} == 0)) || failures=$((failures + 1))
    done
    wrong=()
}
