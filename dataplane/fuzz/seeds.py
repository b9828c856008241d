#!/usr/bin/env python3
"""Writes seeds for all fuzz targets from the test vectors: each layer of each frame for the target that reads it.

    seeds.py OUT        then, for each target: TARGET -set_cover_merge=1 corpus/TARGET OUT/TARGET

Walks the vectors only as far as they are well formed; what cannot be taken apart is a seed of the layers above it.
"""
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
SS7 = ("tcap_native", "tcap_sigfw", "tcap_policy", "transport")
START_MS = 1_795_000_000_000 - 60_000  # as dataplane/src/fuzzing.rs
FROM_HOME, SIGN = 0x80, 0x10
# P-256 and P-384 (SP 800-186 3.2.1.3 and 3.2.1.4): octets, n, and the generator.
CURVES = [
    (32, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
     0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
    (48, 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
     0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
     0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
]


def put(target, octets):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(octets).hexdigest()).write_bytes(octets)


def u16(octets, at):
    return int.from_bytes(octets[at:at + 2], "big")


def elements(octets):
    """BER elements with definite lengths: tag, value, whole element."""
    at = 0
    while at + 2 <= len(octets):
        start, tag, at = at, octets[at], at + 1
        if tag & 31 == 31:
            while at < len(octets) and octets[at] & 0x80:
                at += 1
            at += 1
        if at >= len(octets):
            return
        length, at = octets[at], at + 1
        if length >= 0x80:
            n = length & 0x7F
            if not 1 <= n <= 3:
                return
            length, at = int.from_bytes(octets[at:at + n], "big"), at + n
        if at + length > len(octets):
            return
        yield tag, octets[at:at + length], octets[start:at + length]
        at += length


def frame(octets):
    put("eth", octets)
    at = 12
    while octets[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    put("ip", octets[at:])
    kind, packet = octets[at:at + 2], octets[at + 2:]
    if kind == b"\x08\x00" and packet[9] == 132:
        sctp(packet[(packet[0] & 15) * 4:u16(packet, 2)])
    elif kind == b"\x86\xdd" and packet[6] == 132:
        sctp(packet[40:40 + u16(packet, 4)])


def sctp(packet):
    put("sctp", packet)
    at = 12
    while at + 4 <= len(packet) and u16(packet, at + 2) >= 4:
        if packet[at] == 0:
            user = diameter if packet[at + 12:at + 16] == b"\0\0\0\x2e" else m3ua
            user(packet[at + 16:at + u16(packet, at + 2)])
        at += u16(packet, at + 2) + 3 & ~3


def diameter(message):
    """A message for both targets, and the signature in it where it is DER."""
    put("diameter", message)
    put("diameter_sec", message)
    at = message.find(b"\0\0\x03\xe9\x80")  # DESS-Digital-Signature
    if at >= 0 and message[at + 12:at + 13] == b"\x30":
        put("diameter_sec", message[at + 12:at + int.from_bytes(message[at + 5:at + 8], "big")])


def avp(code, data, vendor=0, flags=0):
    head = code.to_bytes(4, "big") + bytes([flags | (0x80 if vendor else 0)])
    length = 8 + 4 * bool(vendor) + len(data)
    return head + length.to_bytes(3, "big") + (vendor.to_bytes(4, "big") if vendor else b"") + data + bytes(-length % 4)


def diameters():
    """What the vectors have not: identities of each application, results, routes, groups in groups, padding."""
    def message(*avps, command=272, application=4, flags=0xc0):
        body = b"".join((avp(264, b"h.r"), avp(296, b"r"), *avps))
        return (b"\1" + (20 + len(body)).to_bytes(3, "big") + bytes([flags]) + command.to_bytes(3, "big")
                + application.to_bytes(4, "big") + bytes(8) + body)

    subscription = lambda kind, data: avp(443, avp(450, kind.to_bytes(4, "big")) + avp(444, data))
    tbcd = b"\x99\x20\x55\xf1"
    diameter(message(subscription(0, b"999025550001"), subscription(1, b"001010123456789"),
                     subscription(3, b"0001010123456789@nai.epc.example"), subscription(2, b"sip:a@b")))
    diameter(message(avp(3102, avp(1, b"001010123456789") + avp(701, tbcd, 10415), 10415), avp(3300, tbcd, 10415),
                     avp(700, avp(701, tbcd, 10415), 10415), avp(1400, avp(701, tbcd, 10415), 10415),
                     avp(2401, avp(1489, tbcd, 10415) + avp(2403, tbcd, 10415), 10415), application=16777312))
    diameter(message(avp(297, avp(266, b"\0\0\x28\xaf") + avp(298, b"\0\0\x13\x89")), avp(282, b"a"), avp(282, b"b"),
                     avp(279, b"\0\0\0\1\0\xff\xff\xff"), flags=0x60))
    for depth in (1, 8, 9):
        inside = b""
        for _ in range(depth):
            inside = avp(284, inside + avp(280, b"dirty")[:-1] + b"\xff")
        diameter(message(inside))
    identity = avp(1003, b"r", 46304) + avp(1002, b"\xee\xaa\0\1", 46304) + avp(1004, b"\0\0\0\1", 46304)
    der = bytes.fromhex("3008020200ff02024001")
    diameter(message(avp(1000, identity + avp(1001, der, 46304), 46304)))


def m3ua(message):
    put("m3ua", message)
    at = 8
    while at + 4 <= len(message) and u16(message, at + 2) >= 4:
        end = at + u16(message, at + 2)
        if u16(message, at) == 0x0210 and message[at + 12:at + 13] == b"\x03":
            sccp(message[at + 16:end])
        at = end + 3 & ~3


def sccp(message):
    put("sccp", message)
    first = {0x09: 2, 0x0A: 2, 0x11: 3, 0x12: 3}.get(message[0] if message else 0)
    if first is None or len(message) < first + 3:
        return
    for i, reader in enumerate((lambda part: put("sccp", part), lambda part: put("sccp", part), tcap)):
        at = first + i + message[first + i]
        if at < len(message):
            reader(message[at + 1:at + 1 + message[at]])


def tcap(message):
    put("tcap", message)
    put("ber", message)
    for _, value, _ in elements(message):
        for tag, portion, whole in elements(value):
            put("ber", whole)
            if tag == 0x6C:
                for _, component, whole in elements(portion):
                    put("sec", whole)
                    argument(component)


def argument(component):
    parts = [part for part in elements(component)]
    while parts and parts[0][0] in (0x02, 0x80):
        parts.pop(0)
    for _, value, whole in parts:
        for target in ("map", "cap", "ber", "sec"):
            put(target, whole)
        put("sec", value)


def pipeline(vector, sign, change=bytes):
    lenient = (vector.get("override") or {}).get("ber") == "canonicalise"
    out, now = bytes([int(lenient)]), START_MS
    for step in vector["frames"]:
        octets = change(bytes.fromhex(step["frame_hex"]))
        ticks, now = min((step["at_unix_ms"] - now) // 10, 0xFFFF), step["at_unix_ms"]
        control = (FROM_HOME if vector.get("direction") == "egress" else 0) | (SIGN if sign else 0)
        out += bytes([control]) + ticks.to_bytes(2, "big") + len(octets).to_bytes(2, "big") + octets
    put("pipeline", out)


def to_v6(octets):
    """The same packet over IPv6, between the addresses of dataplane/src/fuzzing/rig.rs."""
    if octets[12:14] != b"\x08\x00" or len(octets) < 34:
        return octets
    packet = octets[14:]
    host = {0xC0: 0x0A, 0xC6: 0x0B}  # 192.0.2.10 is the neighbour, 198.51.100.10 ours
    source, destination = (bytes.fromhex("20010db8") + bytes(11) + bytes([host.get(packet[at], 0)]) for at in (12, 16))
    payload = packet[(packet[0] & 15) * 4:u16(packet, 2)]
    header = b"\x60\0\0\0" + len(payload).to_bytes(2, "big") + bytes([packet[9], 64]) + source + destination
    return octets[:12] + b"\x86\xdd" + header + payload


def packet(head, vtag, *chunks):
    """A frame with the link and network header of another one."""
    body = b"\x0b\x59\x0b\x59" + vtag.to_bytes(4, "big") + bytes(4)
    for kind, flags, value in chunks:
        body += bytes([kind, flags]) + (4 + len(value)).to_bytes(2, "big") + value + bytes(-len(value) % 4)
    return head[:16] + (20 + len(body)).to_bytes(2, "big") + head[18:34] + body


def records(options, *steps):
    """An input of the pipeline from (control, step of 10 ms, frame)."""
    out = bytes([options])
    for control, ticks, octets in steps:
        out += bytes([control]) + ticks.to_bytes(2, "big") + len(octets).to_bytes(2, "big") + octets
    put("pipeline", out)


def associations(into, out):
    """Handshake, then whole and cut messages, FORWARD TSN, shutdown and ABORT.

    into, out: a frame of one DATA chunk from interconnect and from home
    """
    ours, theirs = 0x5EA19A7E, 0x00DDBA11
    word = lambda n: n.to_bytes(4, "big")
    init = lambda tag: word(tag) + word(65536) + b"\0\x10\0\x10" + word(1000) + b"\xc0\0\0\4"
    user = lambda octets: octets[50:34 + 12 + u16(octets, 34 + 12 + 2)]
    data = lambda tsn, flags, part: (0, flags, word(tsn) + b"\0\1\0\5" + word(3) + part)
    handshake = [
        (0, 6000, packet(into, 0, (1, 0, init(theirs)))),
        (FROM_HOME, 1, packet(out, theirs, (2, 0, init(ours) + b"\0\7\0\x08cook"))),
        (0, 1, packet(into, ours, (10, 0, b"cook"))),
        (FROM_HOME, 1, packet(out, theirs, (11, 0, b""))),
    ]
    message = user(into)
    first, second = data(1000, 2, message[:100]), data(1001, 1, message[100:])
    for options in range(4):
        records(options, *handshake, (SIGN, 1, packet(into, ours, data(1000, 3, message))),
                (FROM_HOME, 1, packet(out, theirs, (3, 0, word(1000) + word(65536) + bytes(4)))),
                (FROM_HOME, 1, packet(out, theirs, data(7, 3, user(out)))), (0, 1, packet(into, ours, (6, 0, b""))))
        records(options, *handshake, (0, 1, packet(into, ours, first)), (0, 1, packet(into, ours, first)),
                (0, 1, packet(into, ours, second, data(1002, 3, message))))
        records(options, *handshake, (0, 1, packet(into, ours, first)), (0, 25, packet(into, ours, second)),
                (0, 1, packet(into, ours, data(1002, 3, message))),
                (FROM_HOME, 1, packet(out, ours, (14, 1, b""))))
        records(options, *handshake, (0, 1, packet(into, ours, first)), *handshake)


def transactions(out):
    """A BEGIN of home, and each kind of answer to it without a signature.

    out: a frame from home with one UDT
    """
    at = 34 + 12 + 16
    message = out[at:34 + 12 + u16(out, 34 + 12 + 2)]
    start = message.index(b"\x09\x00\x03") if b"\x09\x00\x03" in message else None
    if start is None:
        return
    udt = message[start:]
    called, calling = (udt[2 + i + udt[2 + i]:][1:][:udt[2 + i + udt[2 + i]]] for i in (0, 1))
    tcap_at = 4 + udt[4] + 1
    otid = udt[tcap_at:][udt[tcap_at:].index(b"\x48") + 2:][:4]
    label = message[start - 12:start]
    label = label[4:8] + label[:4] + label[8:]
    for tag, tids in ((0x67, (0x49,)), (0x64, (0x49,)), (0x65, (0x48, 0x49))):
        inner = b"".join(bytes([t, 4]) + otid for t in tids) + (b"\x4a\1\0" if tag == 0x67 else b"")
        answer = bytes([tag, len(inner)]) + inner
        offset = 3 + len(calling)
        sccp_part = b"\x09\0" + bytes([3, offset, offset + len(called)])
        for part in (calling, called, answer):
            sccp_part += bytes([len(part)]) + part
        protocol = label + sccp_part
        body = b"\0\6\0\x08\0\0\0\1\x02\x10" + (4 + len(protocol)).to_bytes(2, "big") + protocol
        body += bytes(-len(protocol) % 4)
        body = b"\1\0\1\1" + (8 + len(body)).to_bytes(4, "big") + body
        data = (0, 3, (1000).to_bytes(4, "big") + b"\0\1\0\5\0\0\0\3" + body)
        back = packet(out[6:12] + out[:6] + out[12:26] + out[30:34] + out[26:30], 0x5EA19A7E, data)
        for options in range(4):
            records(options, (FROM_HOME, 6000, out), (0, 5, back), (0, 5, back))


def ecdsa():
    """Signatures by chosen u1 and u2 in all windows, and whole ones of the key that is G itself."""
    for curve, (octets, n, x, y) in enumerate(CURVES):
        def number(value):
            return (value % n).to_bytes(octets, "big")

        half = n.bit_length() // 2
        for windows in range(16):
            options = bytes([curve | windows << 1 | 32])
            for d in (1, 2, -1, 1 << 8, 1 << half, 3**150):
                some = [(0, 1), (1, 1), (d, 1), (5, 3), (2, -1), (-1, 2), (1 << half, 1 << 8), (7**90, 5**110)]
                put("ecdsa", options + number(d) + b"".join(
                    bytes([1 + 2 * (at % 8)]) + number(u1) + number(u2) for at, (u1, u2) in enumerate(some * (1 + windows % 5))))
            # Q = G and u1 + u2 = 1, so that r is the x of G: s = r / u2, z = u1 s.
            whole = b""
            for u2 in (2, 3, -1, 1 << half, 5**110):
                r = x % n
                s = r * pow(u2, -1, n)
                whole += b"\0" + number((1 - u2) * s) + number(r) + number(s)
            key = b"\x04" + x.to_bytes(octets, "big") + y.to_bytes(octets, "big")
            put("ecdsa", bytes([curve | windows << 1]) + key + whole)
            put("ecdsa", bytes([curve | windows << 1]) + key + whole[:-1])


def main():
    diameters()
    for path in SS7 + ("isup", "diameter_native", "diameter_dess"):
        for vector in json.loads((VECTORS / f"{path}.json").read_text())["vectors"]:
            for step in vector["frames"]:
                for field in ("frame_hex", "out_frame_hex"):
                    if step.get(field):
                        frame(bytes.fromhex(step[field]))
            if path in SS7:
                passes = vector["frames"][0]["verdict"] == "pass"
                pipeline(vector, sign=path == "tcap_native" and passes)
                if passes:
                    pipeline(vector, sign=path == "tcap_native", change=to_v6)
    native = json.loads((VECTORS / "tcap_native.json").read_text())["vectors"]
    into = next(bytes.fromhex(vector["frames"][0]["frame_hex"]) for vector in native)
    homes = [bytes.fromhex(vector["frames"][0]["frame_hex"]) for vector in native if vector.get("direction") == "egress"]
    associations(into, homes[0])
    for home in homes:
        transactions(home)
    for path in [*VECTORS.glob("certs/*.pem"), *VECTORS.glob("crls/*.pem")]:
        for block in re.findall(r"-----BEGIN [^-]*-----([^-]*)-----END", path.read_text()):
            put("pki", base64.b64decode(block))
    ecdsa()


OUT = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
main()
