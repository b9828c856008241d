# The network of the lab: three namespaces and the interfaces between them. Sourced by scripts/lab.
# shellcheck shell=bash
#
#   host a (A)        gateway A            middle             gateway B         host b (B)
#   a0 ------- ga-home   ga-wire ---- mid-a   mid-b ---- gb-wire   gb-home ------- b0
#   a1 -------------------------------- no gateway, no middle --------------------- b1
#
# Names carry our process id, so that two labs do not meet. All interfaces live in namespaces and die with them.

readonly NS_A=sga-$$ NS_B=sgb-$$ NS_M=sgm-$$
readonly HOST_A=192.0.2.1 HOST_B=192.0.2.2 WIRE_A=198.51.100.1 WIRE_B=198.51.100.2
readonly MAC_A=02:00:00:00:00:0a MAC_B=02:00:00:00:00:0b

# veth_pair NAMESPACE INTERFACE NAMESPACE INTERFACE
veth_pair() {
    local side
    ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
    for side in "$1 $2" "$3 $4"; do
        # A checksum left to hardware that does not exist is wrong behind a forwarder; merged segments outgrow its buffers.
        # shellcheck disable=SC2086
        ip netns exec ${side% *} ethtool -K "${side#* }" tx off rx off tso off gso off gro off >/dev/null
    done
}

net_up() {
    local ns
    for ns in "$NS_A" "$NS_B" "$NS_M"; do
        ip netns add "$ns" || die "cannot make network namespaces here (needs CAP_SYS_ADMIN)"
        # No router solicitations, no duplicate address detection: whatever moves on these wires is ours.
        ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
        ip -n "$ns" link set lo up
    done
    veth_pair "$NS_A" a0 "$NS_M" ga-home
    veth_pair "$NS_M" ga-wire "$NS_M" mid-a
    veth_pair "$NS_M" mid-b "$NS_M" gb-wire
    veth_pair "$NS_M" gb-home "$NS_B" b0
    veth_pair "$NS_A" a1 "$NS_B" b1
    ip -n "$NS_A" link set a0 address "$MAC_A"
    ip -n "$NS_B" link set b0 address "$MAC_B"
    ip -n "$NS_A" addr add "$HOST_A/24" dev a0
    ip -n "$NS_B" addr add "$HOST_B/24" dev b0
    ip -n "$NS_A" addr add "$WIRE_A/24" dev a1
    ip -n "$NS_B" addr add "$WIRE_B/24" dev b1
    local link
    for link in "$NS_A a0" "$NS_A a1" "$NS_B b0" "$NS_B b1" "$NS_M ga-home" "$NS_M ga-wire" "$NS_M mid-a" \
        "$NS_M mid-b" "$NS_M gb-wire" "$NS_M gb-home"; do
        ip -n "${link% *}" link set "${link#* }" up
    done
    # The hosts know each other's hardware address: this lab is about SCTP, and no case may hang on ARP.
    ip -n "$NS_A" neigh add "$HOST_B" lladdr "$MAC_B" dev a0 nud permanent
    ip -n "$NS_B" neigh add "$HOST_A" lladdr "$MAC_A" dev b0 nud permanent
}

net_down() {
    local ns
    for ns in "$NS_A" "$NS_B" "$NS_M"; do
        if [[ -e /run/netns/$ns ]]; then
            ip netns del "$ns" || note "namespace $ns is left behind"
        fi
    done
}
