//! The one numbered table of why a message passed or not.
//!
//! Verdicts, counters, logs and documentation take code, name and sentence from here. A number is never reused.

macro_rules! cause {
    (-) => {
        None
    };
    ($n:literal) => {
        Some($n)
    };
}

macro_rules! reasons {
    ($($variant:ident = $code:literal, $name:literal, $text:literal, [$sccp:tt $dia:tt $sip:tt];)*) => {
        /// Why a message passed, is held, or was refused. The value is the number on the wire of logs and metrics.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u16)]
        pub enum Reason { $(#[doc = $text] $variant = $code,)* }

        /// Every reason, in the order of its number.
        pub const ALL: &[Reason] = &[$(Reason::$variant,)*];

        /// How many reasons there are: the width of a counter row.
        pub const COUNT: usize = ALL.len();

        impl Reason {
            /// The stable name, as in `R_SEC_MISSING`.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name,)* }
            }
            /// One sentence for an operator.
            pub const fn text(self) -> &'static str {
                match self { $(Reason::$variant => $text,)* }
            }
            /// SCCP return cause (Q.713 §3.12) where the message may be rejected instead of dropped.
            pub const fn sccp_return_cause(self) -> Option<u8> {
                match self { $(Reason::$variant => cause!($sccp),)* }
            }
            /// Diameter Result-Code (RFC 6733 §7.1) where the request may be rejected.
            pub const fn diameter_result(self) -> Option<u16> {
                match self { $(Reason::$variant => cause!($dia),)* }
            }
            /// SIP status (RFC 3261 §21, RFC 8224 §6.2.2) where the request may be rejected.
            pub const fn sip_status(self) -> Option<u16> {
                match self { $(Reason::$variant => cause!($sip),)* }
            }
        }
    };
}

reasons! {
    OkVerified = 0, "R_OK_VERIFIED", "signature valid, policy allows", [- - -];
    OkUnsignedAllowed = 1, "R_OK_UNSIGNED_ALLOWED", "no signature, allowed", [- - -];
    OkNotSubject = 2, "R_OK_NOT_SUBJECT", "not a message under protection", [- - -];
    OkSignedEgress = 3, "R_OK_SIGNED_EGRESS", "signed and sent", [- - -];
    OkAllowList = 4, "R_OK_ALLOW_LIST", "an operator rule allowed it against a built-in check", [- - -];
    OkUnknownSigner = 5, "R_OK_UNKNOWN_SIGNER", "signer unknown, treated as unsigned", [- - -];
    OkIgnored = 6, "R_OK_IGNORED", "peer mode is ignore", [- - -];
    OkHeld = 7, "R_OK_HELD", "part of a larger message, held", [- - -];
    OkAnswered = 8, "R_OK_ANSWERED", "ACK of a rejection by this gateway, ends here", [- - -];
    OkMarked = 9, "R_OK_MARKED", "call not verified, passed with a mark that says so", [- - -];
    L2Runt = 100, "R_L2_RUNT", "frame shorter than its headers", [- - -];
    L2Ethertype = 101, "R_L2_ETHERTYPE", "ether type denied", [- - -];
    IpHeader = 102, "R_IP_HEADER", "version, header or total length", [- - -];
    IpChecksum = 103, "R_IP_CHECKSUM", "IPv4 header checksum", [- - -];
    IpFragment = 104, "R_IP_FRAGMENT", "IP fragment", [- - -];
    IpOptions = 105, "R_IP_OPTIONS", "IPv4 options or unexpected IPv6 extension header", [- - -];
    L4PeerUnknown = 106, "R_L4_PEER_UNKNOWN", "addresses belong to no configured link", [- - -];
    L4Length = 107, "R_L4_LENGTH", "UDP or TCP length", [- - -];
    L4Checksum = 108, "R_L4_CHECKSUM", "UDP or TCP checksum", [- - -];
    Vlan = 109, "R_VLAN", "VLAN not allowed on port", [- - -];
    TcpStream = 110, "R_TCP_STREAM", "stream position lost", [- - -];
    SctpCrc32c = 120, "R_SCTP_CRC32C", "SCTP CRC32c wrong", [- - -];
    SctpVtag = 121, "R_SCTP_VTAG", "SCTP verification tag is not the association's", [- - -];
    SctpChunkLen = 122, "R_SCTP_CHUNK_LEN", "SCTP chunk length", [- - -];
    SctpPpid = 123, "R_SCTP_PPID", "payload protocol not expected on link", [- - -];
    SctpReasm = 124, "R_SCTP_REASM", "fragment limit or timeout", [- - -];
    SctpAssocUnknown = 125, "R_SCTP_ASSOC_UNKNOWN", "packet for no known association", [- - -];
    SctpDupTsn = 126, "R_SCTP_DUP_TSN", "same TSN, other octets, policy says drop", [- - -];
    SctpChunkType = 127, "R_SCTP_CHUNK_TYPE", "chunk type denied", [- - -];
    M3uaVersion = 140, "R_M3UA_VERSION", "M3UA version is not 1 (RFC 4666 §3.1.1)", [- - -];
    M3uaLength = 141, "R_M3UA_LENGTH", "M3UA length below 8 or unlike its SCTP user message (RFC 4666 §3.1.4)", [- - -];
    M3uaParam = 142, "R_M3UA_PARAM", "M3UA parameter missing, repeated or cut short (RFC 4666 §3.2)", [- - -];
    M3uaClass = 143, "R_M3UA_CLASS", "message class denied", [- - -];
    Mtp3Si = 144, "R_MTP3_SI", "service indicator not allowed", [- - -];
    Mtp3Opc = 145, "R_MTP3_OPC", "originating point code not allowed on link", [- - -];
    Mtp3Dpc = 146, "R_MTP3_DPC", "destination point code not ours", [- - -];
    Mtp3Ni = 147, "R_MTP3_NI", "network indicator", [- - -];
    M3uaRc = 148, "R_M3UA_RC", "routing context", [- - -];
    M2paForm = 150, "R_M2PA_FORM", "M2PA message not of its form (RFC 4165 §2)", [- - -];
    SuaForm = 155, "R_SUA_FORM", "SUA message or parameter not of its form (RFC 3868 §3)", [- - -];
    SccpType = 160, "R_SCCP_TYPE", "message type", [- - -];
    SccpTruncated = 161, "R_SCCP_TRUNCATED", "SCCP message or address ends before its fields do (Q.713)", [- - -];
    SccpPointer = 162, "R_SCCP_POINTER", "SCCP pointer leads outside the message or parameters overlap (Q.713 §2.3)", [- - -];
    SccpCgpaMissing = 163, "R_SCCP_CGPA_MISSING", "no calling GT", [- - -];
    SccpGtForm = 164, "R_SCCP_GT_FORM", "plan, nature, scheme or digits", [0 - -];
    SccpGti = 165, "R_SCCP_GTI", "global title indicator", [0 - -];
    SccpCgpaOwn = 166, "R_SCCP_CGPA_OWN", "outside message claims a calling address of ours", [- - -];
    SccpCdpaForeign = 167, "R_SCCP_CDPA_FOREIGN", "called address is not ours", [1 - -];
    SccpSsn = 168, "R_SCCP_SSN", "subsystem", [4 - -];
    SccpReasmTimeout = 169, "R_SCCP_REASM_TIMEOUT", "SCCP segments did not all arrive in time (Q.714 §4.1.1.2.3)", [- - -];
    SccpReasmConflict = 170, "R_SCCP_REASM_CONFLICT", "segment out of order or repeated", [- - -];
    SccpReasmLimit = 171, "R_SCCP_REASM_LIMIT", "too many SCCP segments or open reassemblies", [- - -];
    SccpServiceUnsolicited = 172, "R_SCCP_SERVICE_UNSOLICITED", "service message (UDTS, XUDTS, LUDTS) for nothing we sent", [- - -];
    SccpHopCounter = 173, "R_SCCP_HOP_COUNTER", "hop counter zero", [12 - -];
    SccpOptParam = 174, "R_SCCP_OPT_PARAM", "optional part malformed", [- - -];
    TcapTag = 200, "R_TCAP_TAG", "message tag", [1 - -];
    BerLength = 201, "R_BER_LENGTH", "BER length runs past its parent or has more than four octets (X.690 §8.1.3)", [1 - -];
    BerIndefinite = 202, "R_BER_INDEFINITE", "BER indefinite length where strict decoding is configured (X.690 §8.1.3.6)", [1 - -];
    BerNonMinimal = 203, "R_BER_NON_MINIMAL", "BER length or integer has superfluous octets (X.690 §8.1.3, §8.3.2)", [1 - -];
    BerDepth = 204, "R_BER_DEPTH", "BER nesting deeper than 16", [1 - -];
    TcapTid = 205, "R_TCAP_TID", "TCAP transaction id missing or not of 1 to 4 octets (Q.773)", [1 - -];
    TcapElement = 206, "R_TCAP_ELEMENT", "unknown, repeated or misplaced element", [1 - -];
    TcapDialogue = 207, "R_TCAP_DIALOGUE", "dialogue portion malformed", [1 - -];
    TcapAcMissing = 208, "R_TCAP_AC_MISSING", "TCAP BEGIN without application context", [1 - -];
    TcapAcOpcode = 209, "R_TCAP_AC_OPCODE", "application context unknown, or operation not in it", [1 - -];
    TcapComponent = 210, "R_TCAP_COMPONENT", "TCAP component malformed (Q.773)", [1 - -];
    TcapComponentCount = 211, "R_TCAP_COMPONENT_COUNT", "more than 16 TCAP components", [1 - -];
    TcapGlobalOpcode = 212, "R_TCAP_GLOBAL_OPCODE", "operation code is an OBJECT IDENTIFIER, a known evasion", [1 - -];
    TcapInvokeIdDup = 213, "R_TCAP_INVOKE_ID_DUP", "two invokes share one invoke id", [1 - -];
    TcapTrailing = 214, "R_TCAP_TRAILING", "octets after the TCAP message", [1 - -];
    TcapState = 215, "R_TCAP_STATE", "no such transaction", [- - -];
    MapParam = 216, "R_MAP_PARAM", "MAP argument missing or badly coded (TS 29.002)", [1 - -];
    MapDupParam = 217, "R_MAP_DUP_PARAM", "MAP identity given more than once", [1 - -];
    BerTagLong = 218, "R_BER_TAG_LONG", "BER long tag form where the short one would do (X.690 §8.1.2.4)", [1 - -];
    IsupTruncated = 240, "R_ISUP_TRUNCATED", "ISUP message ends before its parameters do (Q.763)", [- - -];
    IsupPointer = 241, "R_ISUP_POINTER", "ISUP pointer outside the message (Q.763)", [- - -];
    IsupParamDup = 242, "R_ISUP_PARAM_DUP", "ISUP parameter repeated", [- - -];
    IsupCgpnMissing = 243, "R_ISUP_CGPN_MISSING", "ISUP calling party number missing", [- - -];
    IsupNumForm = 244, "R_ISUP_NUM_FORM", "ISUP number not international or not decimal", [- - -];
    IsupType = 245, "R_ISUP_TYPE", "message type denied", [- - -];
    DiaVersion = 260, "R_DIA_VERSION", "Diameter version is not 1 (RFC 6733 §3)", [- 5011 -];
    DiaLength = 261, "R_DIA_LENGTH", "Diameter length unlike its carrier's (RFC 6733 §3)", [- 5015 -];
    DiaFlags = 262, "R_DIA_FLAGS", "Diameter command flags contradict each other (RFC 6733 §3)", [- 3008 -];
    DiaAvpLength = 263, "R_DIA_AVP_LENGTH", "Diameter AVP length (RFC 6733 §4.1)", [- 5014 -];
    DiaAvpDepth = 264, "R_DIA_AVP_DEPTH", "Diameter AVPs nested too deep or too many", [- 5012 -];
    DiaAvpDup = 265, "R_DIA_AVP_DUP", "Diameter AVP repeated that may occur once", [- 5009 -];
    DiaOriginMissing = 266, "R_DIA_ORIGIN_MISSING", "Diameter Origin-Host or Origin-Realm missing", [- 5005 -];
    DiaApp = 267, "R_DIA_APP", "Diameter application not allowed", [- 3007 -];
    DiaCmdApp = 268, "R_DIA_CMD_APP", "Diameter command does not belong to its application", [- 3001 -];
    DiaState = 269, "R_DIA_STATE", "answer without request", [- - -];
    DiaRouteRecord = 270, "R_DIA_ROUTE_RECORD", "Diameter Route-Record shows a loop or our own realm", [- 3005 -];
    DiaAvpUnknown = 271, "R_DIA_AVP_UNKNOWN", "Diameter AVP that must be understood and is not known here", [- 5001 -];
    SipSyntax = 280, "R_SIP_SYNTAX", "SIP message malformed (RFC 3261)", [- - 400];
    SipHdrDup = 281, "R_SIP_HDR_DUP", "SIP header repeated", [- - 400];
    SipHdrMissing = 282, "R_SIP_HDR_MISSING", "SIP mandatory header missing", [- - 400];
    SipTooBig = 283, "R_SIP_TOO_BIG", "SIP message above 64 KiB", [- - 513];
    SipMethod = 284, "R_SIP_METHOD", "SIP method not allowed", [- - 405];
    SipTnForm = 285, "R_SIP_TN_FORM", "SIP telephone number form", [- - 400];
    GtpVersion = 300, "R_GTP_VERSION", "GTP version, or flags that no control message has (TS 29.060 §6, TS 29.274 §5.1)", [- - -];
    GtpLength = 301, "R_GTP_LENGTH", "GTP length unlike its datagram's, or an extension header of GTP cut short (TS 29.060 §6)", [- - -];
    GtpIe = 302, "R_GTP_IE", "GTP information element malformed, repeated or misplaced (TS 29.060 §7.7, TS 29.274 §8)", [- - -];
    GtpType = 303, "R_GTP_TYPE", "GTP message type unknown or denied", [- - -];
    GtpInGtp = 304, "R_GTP_IN_GTP", "GTP inside GTP-U, or user data on the control port", [- - -];
    GtpState = 305, "R_GTP_STATE", "GTP tunnel unknown", [- - -];
    SecMissing = 400, "R_SEC_MISSING", "no signature, and the peer must sign", [1 5012 428];
    SecDup = 401, "R_SEC_DUP", "more than one security component or AVP", [1 5012 -];
    SecPosition = 402, "R_SEC_POSITION", "security component is not the last one", [1 - -];
    SecSyntax = 403, "R_SEC_SYNTAX", "security parameter not of the profile's exact shape", [1 5012 -];
    SecVersion = 404, "R_SEC_VERSION", "security header version is not 1", [1 5012 -];
    SecAlgUnsupported = 405, "R_SEC_ALG_UNSUPPORTED", "signature algorithm unknown", [1 5012 -];
    SecFlags = 406, "R_SEC_FLAGS", "reserved flag in the security header", [1 5012 -];
    SecTimePast = 407, "R_SEC_TIME_PAST", "time stamp older than the window allows", [1 5012 -];
    SecTimeFuture = 408, "R_SEC_TIME_FUTURE", "time stamp further ahead than the window allows", [1 5012 -];
    SecReplay = 409, "R_SEC_REPLAY", "sequence number already used: a replay", [- - -];
    SecSeqOld = 410, "R_SEC_SEQ_OLD", "sequence number below the replay window", [- - -];
    SecSigInvalid = 411, "R_SEC_SIG_INVALID", "signature does not verify", [1 5012 -];
    SecSigForm = 412, "R_SEC_SIG_FORM", "signature length wrong for its algorithm", [1 5012 -];
    SecCdpaMismatch = 413, "R_SEC_CDPA_MISMATCH", "signed for another destination", [1 - -];
    SecProfile = 414, "R_SEC_PROFILE", "profile not allowed for peer", [1 5012 -];
    SecAlgDowngrade = 415, "R_SEC_ALG_DOWNGRADE", "algorithm not allowed for peer", [1 5012 -];
    SecKeyType = 416, "R_SEC_KEY_TYPE", "algorithm and key disagree", [1 5012 -];
    SecIdentityMissing = 417, "R_SEC_IDENTITY_MISSING", "DESS sub-AVP missing", [- 5012 -];
    SecReflected = 418, "R_SEC_REFLECTED", "our own SAI came from outside", [- - -];
    CrtUnknownSai = 500, "R_CRT_UNKNOWN_SAI", "no certificate or key for this signer", [1 5012 -];
    CrtNotYetValid = 501, "R_CRT_NOT_YET_VALID", "signer's certificate not yet valid", [1 5012 -];
    CrtExpired = 502, "R_CRT_EXPIRED", "signer's certificate expired", [1 5012 -];
    CrtRevoked = 503, "R_CRT_REVOKED", "signer's certificate revoked", [1 5012 -];
    CrtChain = 504, "R_CRT_CHAIN", "certificate chain broken", [- - -];
    CrtEku = 505, "R_CRT_EKU", "extended key usage does not allow signing messages", [- - -];
    CrtResource = 506, "R_CRT_RESOURCE", "address outside the identifiers in the signer's certificate", [1 5012 -];
    CrtCrlStale = 507, "R_CRT_CRL_STALE", "revocation list past its grace period", [1 5012 -];
    CrtRepoStale = 508, "R_CRT_REPO_STALE", "certificate repository not checked for too long", [1 5012 -];
    CrtRole = 509, "R_CRT_ROLE", "signer's role not accepted from this peer", [1 5012 -];
    CrtOverclaim = 510, "R_CRT_OVERCLAIM", "certificate claims identifiers its issuer does not hold", [- - -];
    CrtSaiAmbiguous = 511, "R_CRT_SAI_AMBIGUOUS", "two different keys share one SAI", [- - -];
    CrtProfile = 512, "R_CRT_PROFILE", "certificate not of the TSCA profile", [- - -];
    StirMissing = 520, "R_STIR_MISSING", "no usable Identity header", [- - 428];
    StirSyntax = 521, "R_STIR_SYNTAX", "PASSporT malformed (RFC 8225)", [- - 438];
    StirPpt = 522, "R_STIR_PPT", "only unsupported ppt", [- - 428];
    StirAlg = 523, "R_STIR_ALG", "PASSporT algorithm is not ES256", [- - 437];
    StirX5uUnavailable = 524, "R_STIR_X5U_UNAVAILABLE", "certificate behind x5u not at hand", [- - 436];
    StirX5uDenied = 525, "R_STIR_X5U_DENIED", "x5u host not allowed", [- - 436];
    StirCert = 526, "R_STIR_CERT", "PASSporT certificate expired, revoked or unchained", [- - 437];
    StirStale = 527, "R_STIR_STALE", "PASSporT or Date not fresh", [- - 403];
    StirDate = 528, "R_STIR_DATE", "Date header missing for the compact form", [- - 438];
    StirOrig = 529, "R_STIR_ORIG", "PASSporT orig is not the calling number", [- - 438];
    StirDest = 530, "R_STIR_DEST", "PASSporT dest lacks the called number", [- - 438];
    StirSig = 531, "R_STIR_SIG", "PASSporT signature does not verify", [- - 438];
    StirTn = 532, "R_STIR_TN", "calling number outside the certificate's TNAuthList", [- - 437];
    StirAttest = 533, "R_STIR_ATTEST", "attestation below what the peer must give", [- - 403];
    StirReplay = 534, "R_STIR_REPLAY", "PASSporT used before", [- - 403];
    StirDiv = 535, "R_STIR_DIV", "div chain broken (RFC 8946)", [- - 438];
    PolDefaultDeny = 600, "R_POL_DEFAULT_DENY", "no rule allows it", [1 5012 403];
    PolRule = 601, "R_POL_RULE", "operator rule; rule id in the record", [1 5012 403];
    PolCat1 = 602, "R_POL_CAT1", "category 1 operation from interconnect (GSMA FS.11)", [1 5012 -];
    PolCat2 = 603, "R_POL_CAT2", "category 2 without a finer reason", [1 5012 -];
    PolCat3 = 604, "R_POL_CAT3", "category 3 without a finer reason", [1 5012 -];
    PolRate = 605, "R_POL_RATE", "rate limit of an operator rule", [6 3004 503];
    PolHomeRouting = 606, "R_POL_HOME_ROUTING", "SRI-SM goes to home router, not here", [- - -];
    PolXlayerAddr = 610, "R_POL_XLAYER_ADDR", "sender's address and an address inside the message disagree", [1 - -];
    PolImsiGt = 611, "R_POL_IMSI_GT", "IMSI of another operator than the sender's address", [1 - -];
    PolHomeImsi = 612, "R_POL_HOME_IMSI", "our own subscriber targeted from outside", [1 5012 -];
    PolRealmImsi = 613, "R_POL_REALM_IMSI", "IMSI of another operator than the origin realm", [- 5012 -];
    PolHostRealm = 614, "R_POL_HOST_REALM", "Origin-Host outside Origin-Realm", [- 5012 -];
    PolVplmnRealm = 615, "R_POL_VPLMN_REALM", "visited network of another operator than the sender", [- 5012 -];
    PolPeerUnknown = 616, "R_POL_PEER_UNKNOWN", "sender's address belongs to no configured peer", [1 5012 403];
    DetVelocity = 700, "R_DET_VELOCITY", "subscriber moved faster than possible", [1 5012 -];
    DetPrevLocation = 701, "R_DET_PREV_LOCATION", "previous location disagrees", [1 5012 -];
    DetMultiRequest = 702, "R_DET_MULTI_REQUEST", "Q.3066 class 2", [1 5012 -];
    DetMultiProtocol = 703, "R_DET_MULTI_PROTOCOL", "Q.3066 class 3", [1 5012 403];
    DetCrossGeneration = 704, "R_DET_CROSS_GENERATION", "Q.3066 class 4", [1 5012 403];
    DetScan = 705, "R_DET_SCAN", "scan of subscriber numbers", [1 5012 -];
    DetResponseSpoof = 706, "R_DET_RESPONSE_SPOOF", "answer from another address than asked", [- - -];
    DetFlood = 707, "R_DET_FLOOD", "flood of requests", [6 3004 503];
    ResOverload = 800, "R_RES_OVERLOAD", "shed by overload control", [- 3004 503];
    ResCryptoQueue = 801, "R_RES_CRYPTO_QUEUE", "crypto queue full", [- 3004 503];
    ResTableFull = 802, "R_RES_TABLE_FULL", "a bounded table is full", [- - -];
    ResMempool = 803, "R_RES_MEMPOOL", "no packet buffer left", [- - -];
    ResShutdown = 804, "R_RES_SHUTDOWN", "gateway shutting down", [- - -];
    ResSignFailed = 805, "R_RES_SIGN_FAILED", "message could not be signed or does not fit its carrier", [- - -];
    ResCryptoShare = 806, "R_RES_CRYPTO_SHARE", "peer has used its part of the crypto queue", [- 3004 503];
    ResCryptoThread = 807, "R_RES_CRYPTO_THREAD", "crypto thread ended before it answered", [- 3004 503];
    ResCryptoKey = 808, "R_RES_CRYPTO_KEY", "key was withdrawn while the message waited for crypto", [- 3004 503];
    IntBug = 900, "R_INT_BUG", "internal fault: a check that cannot fail failed", [- 5012 500];
    IntConfig = 901, "R_INT_CONFIG", "configuration did not load", [- - -];
}

/// Dense place of each code in [`ALL`], so that a counter row needs no search.
const INDEX: [u8; 1024] = {
    let mut table = [0; 1024];
    let mut i = 0;
    while i < COUNT {
        table[ALL[i] as usize] = i as u8;
        i += 1;
    }
    table
};

impl Reason {
    /// The number, never renumbered.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Place in [`ALL`] and in every counter row.
    pub const fn index(self) -> usize {
        INDEX[self as usize] as usize
    }

    /// The reason with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|reason| reason.name() == name)
    }

    /// True for the reasons under which a message goes on (codes 0 to 6, and 9).
    pub const fn passes(self) -> bool {
        (self as u16) < Reason::OkHeld as u16 || matches!(self, Reason::OkMarked)
    }

    /// True for what is wrong with a PASSporT, or that there is none (codes 520 to 539): what a link that marks calls lets pass.
    pub const fn is_of_passport(self) -> bool {
        self as u16 / 20 == 26
    }

    /// True for what a message is refused for because of what it asks, by built-in checks, detection or an operator's rule, though it
    /// is well made and its security step holds: what a peer that is being learned or tested is only counted for (formats 13.3).
    pub const fn is_policy(self) -> bool {
        matches!(self, Reason::TcapAcMissing | Reason::TcapAcOpcode | Reason::DiaCmdApp)
            || matches!(self as u16, 600..=615 | 700..=705 | 707)
    }

    /// True for the reasons under which a message is kept away from where it goes: neither those that pass, nor held for the rest
    /// of a larger message, nor for this gateway itself.
    pub const fn refuses(self) -> bool {
        self as u16 > Reason::OkMarked as u16
    }

    /// A refusal with the octet of its layer where it showed.
    pub const fn at(self, octet: usize) -> Refusal {
        Refusal { reason: self, at: octet as u32 }
    }
}

/// A reason and the octet of its layer where it showed. Eight octets, `Copy`: a bad frame must stay cheap for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Octet of the layer named by the reason, counted from the layer's first octet.
    pub at: u32,
}

impl Refusal {
    /// The same, seen from something that begins `octets` before.
    #[inline]
    pub(crate) const fn later(self, octets: usize) -> Self {
        Refusal { at: self.at + octets as u32, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_found_by_name_and_index() {
        for (i, &reason) in ALL.iter().enumerate() {
            assert_eq!(reason.index(), i);
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
            assert!(!reason.text().is_empty());
        }
        assert!(ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    }

    #[test]
    fn replays_and_spoofed_own_addresses_are_never_answered() {
        for reason in [Reason::SecReplay, Reason::SecSeqOld, Reason::SccpCgpaOwn] {
            assert_eq!(reason.sccp_return_cause(), None, "an answer would go to the victim");
        }
    }
}
