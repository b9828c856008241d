//! AVPs of signatures: DESS of the GSMA, and the header of the native profile (formats 6).

use super::{Definition, KNOWN, definitions};

/// Vendor 46304.
#[rustfmt::skip]
pub(super) const GSMA: &[Definition] = definitions! {
    1000 Grouped "DESS-Signature"
    1001 OctetString "DESS-Digital-Signature"
    1002 Time "DESS-System-Time"
    1003 Identity "DESS-Signing-Identity"
    1004 Enumerated "DESS-Digital-Signature-Type"
};

/// Vendor 32473.
#[rustfmt::skip]
pub(super) const SEALGATE: &[Definition] = definitions! {
    1 OctetString "SG-Security-Header"
};

/// What is known of an AVP of one of these tables, DESS-Signature aside.
pub(super) const fn bits(code: u32, table: &[Definition]) -> u8 {
    let mut i = 0;
    while i < table.len() {
        if table[i].code == code {
            return KNOWN;
        }
        i += 1;
    }
    0
}
