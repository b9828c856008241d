//! What an operator may speak for: the identifiers in a certificate, and the rules of covering and containment.
//!
//! Global title prefixes, networks, point codes, realms and domains come from the extension `cspIdentifiers`
//! (formats 12.2), telephone numbers from the TNAuthList of RFC 8226.

use super::der::NotDer;
use super::extension::plmn_octets;
use super::numbers::Numbers;

/// Most digits of a global title prefix or a telephone number (ITU-T E.164).
const MAX_DIGITS: usize = 15;
/// Largest international signalling point code: 14 bits (ITU-T Q.708).
const MAX_POINT_CODE: u16 = 0x3fff;

/// Numbering plan E.164 as SCCP codes it.
pub const PLAN_E164: u8 = 1;
/// Numbering plan E.214 as SCCP codes it.
pub const PLAN_E214: u8 = 7;

/// Why identifiers could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// The octets are not strict DER, or not the elements of the profile in their order.
    #[error(transparent)]
    Der(#[from] NotDer),
    /// A version other than 0.
    #[error("cspIdentifiers has a version other than 0")]
    Version,
    /// A list that is present but empty, repeated, unknown or out of order.
    #[error("cspIdentifiers has an element that is empty, repeated, unknown or out of order")]
    Element,
    /// A numbering plan other than E.164 (1) and E.214 (7).
    #[error("numbering plan {0} is neither 1 (E.164) nor 7 (E.214)")]
    Plan(u64),
    /// A prefix that is not 1 to 15 decimal digits.
    #[error("global title prefix {0:?} is not 1 to 15 decimal digits")]
    GtPrefix(String),
    /// A network that is not MCC and MNC.
    #[error("PLMN {0:?} is not five or six decimal digits (MCC, then MNC)")]
    Plmn(String),
    /// A point code range that is not within 0 to 16383 or runs backwards.
    #[error("point codes {0}-{1} are not a range within 0 to 16383")]
    PointCodes(u64, u64),
    /// A realm or domain that is no host name.
    #[error("{0:?} is not a domain name in ASCII")]
    Domain(String),
    /// A telephone number range that is empty, not decimal, or runs past its number of digits.
    #[error("telephone numbers {0:?}+{1} are not 1 to 15 decimal digits and a count that keeps their length")]
    TnRange(String, u64),
}

/// The identifiers that a certificate may speak for.
///
/// `Default` covers nothing. Domains are lower case: reading lowers them, comparison ignores case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// Numbering plan (1 = E.164, 7 = E.214) and leading digits of global titles.
    pub gt_prefixes: Vec<(u8, String)>,
    /// Mobile networks: MCC and MNC, five or six digits.
    pub plmns: Vec<String>,
    /// International signalling point codes, first and last of each range.
    pub ispcs: Vec<(u16, u16)>,
    /// Diameter realms; each covers the labels below it.
    pub realms: Vec<String>,
    /// SIP domains; each covers the labels below it.
    pub sip_domains: Vec<String>,
    /// Telephone numbers: the first of each range and how many.
    pub tn_ranges: Vec<(String, u64)>,
    /// Every identifier there is. Trust anchors only.
    pub any: bool,
}

impl Identifiers {
    /// Every identifier there is, as a trust anchor has it.
    pub fn everything() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// True if nothing is covered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// May it speak for this global title? `digits` shorter than a prefix are not covered by it.
    pub fn covers_gt(&self, plan: u8, digits: &str) -> bool {
        self.any || self.gt_prefixes.iter().any(|(own, prefix)| *own == plan && digits.starts_with(prefix.as_str()))
    }

    /// May it speak for this network (MCC and MNC)?
    pub fn covers_plmn(&self, plmn: &str) -> bool {
        self.any || self.plmns.iter().any(|own| own == plmn)
    }

    /// May it speak for this international point code?
    pub fn covers_ispc(&self, code: u16) -> bool {
        self.any || self.ispcs.iter().any(|&(first, last)| (first..=last).contains(&code))
    }

    /// May it speak for this Diameter realm? A realm covers itself and the labels below it, in any case of letters.
    pub fn covers_realm(&self, realm: &str) -> bool {
        self.any || self.realms.iter().any(|own| is_at_or_below(realm, own))
    }

    /// May it speak for this SIP domain? As [`Identifiers::covers_realm`].
    pub fn covers_sip_domain(&self, domain: &str) -> bool {
        self.any || self.sip_domains.iter().any(|own| is_at_or_below(domain, own))
    }

    /// May it speak for this telephone number? A number of another length than the range is another number. Walks over all
    /// ranges: [`Numbers`] does not.
    pub fn covers_tn(&self, number: &str) -> bool {
        self.any || self.tn_ranges.iter().any(|own| tn_within((number, 1), own))
    }

    /// True if every identifier is inside `parent`'s (the subset rule, as in RFC 6487 for address space).
    pub fn is_subset_of(&self, parent: &Self) -> bool {
        self.first_outside(parent).is_none()
    }

    /// The first identifier that is outside `parent`, in words for an operator.
    pub fn first_outside(&self, parent: &Self) -> Option<String> {
        if parent.any {
            return None;
        }
        if self.any {
            return Some("anyIdentifier".to_owned());
        }
        let gt = self.gt_prefixes.iter().find(|(plan, digits)| !parent.covers_gt(*plan, digits));
        if let Some((plan, digits)) = gt {
            return Some(format!("GT prefix {}{digits}", plan_word(*plan)));
        }
        if let Some(plmn) = self.plmns.iter().find(|plmn| !parent.covers_plmn(plmn)) {
            return Some(format!("PLMN {plmn}"));
        }
        let inside = |&&(first, last): &&(u16, u16)| !parent.ispcs.iter().any(|own| first >= own.0 && last <= own.1);
        if let Some((first, last)) = self.ispcs.iter().find(inside) {
            return Some(format!("point codes {first}-{last}"));
        }
        if let Some(realm) = self.realms.iter().find(|realm| !parent.covers_realm(realm)) {
            return Some(format!("realm {realm}"));
        }
        if let Some(domain) = self.sip_domains.iter().find(|domain| !parent.covers_sip_domain(domain)) {
            return Some(format!("SIP domain {domain}"));
        }
        let numbers = Numbers::of(parent);
        let outside = |(start, count): &&(String, u64)| !numbers.has(start, *count);
        self.tn_ranges.iter().find(outside).map(|(start, count)| format!("telephone numbers {start}+{count}"))
    }

    /// What both cover: how a configured limit narrows the claims below a trust anchor (formats 12.1).
    pub fn intersect(&self, other: &Self) -> Self {
        if self.any {
            return other.clone();
        }
        if other.any {
            return self.clone();
        }
        let narrower = |mine: &[String], theirs: &[String]| -> Vec<String> {
            pairs(mine, theirs, |a, b| {
                if is_at_or_below(a, b) {
                    Some(a.clone())
                } else if is_at_or_below(b, a) {
                    Some(b.clone())
                } else {
                    None
                }
            })
        };
        Self {
            gt_prefixes: pairs(&self.gt_prefixes, &other.gt_prefixes, |a, b| match a.0 == b.0 {
                true if a.1.starts_with(b.1.as_str()) => Some(a.clone()),
                true if b.1.starts_with(a.1.as_str()) => Some(b.clone()),
                _ => None,
            }),
            plmns: self.plmns.iter().filter(|plmn| other.covers_plmn(plmn)).cloned().collect(),
            ispcs: pairs(&self.ispcs, &other.ispcs, |a, b| {
                let (first, last) = (a.0.max(b.0), a.1.min(b.1));
                (first <= last).then_some((first, last))
            }),
            realms: narrower(&self.realms, &other.realms),
            sip_domains: narrower(&self.sip_domains, &other.sip_domains),
            tn_ranges: pairs(&self.tn_ranges, &other.tn_ranges, tn_common),
            any: false,
        }
    }

    /// Checks that each identifier can be written and says what it seems to say.
    /// # Errors
    /// The first identifier that is malformed.
    pub fn check(&self) -> Result<(), IdentifierError> {
        for (plan, digits) in &self.gt_prefixes {
            if !matches!(*plan, PLAN_E164 | PLAN_E214) {
                return Err(IdentifierError::Plan(u64::from(*plan)));
            }
            if !is_digits(digits) {
                return Err(IdentifierError::GtPrefix(digits.clone()));
            }
        }
        if let Some(plmn) = self.plmns.iter().find(|plmn| plmn_octets(plmn).is_none()) {
            return Err(IdentifierError::Plmn(plmn.clone()));
        }
        if let Some((first, last)) = self.ispcs.iter().find(|(first, last)| first > last || *last > MAX_POINT_CODE) {
            return Err(IdentifierError::PointCodes(u64::from(*first), u64::from(*last)));
        }
        if let Some(name) = self.realms.iter().chain(&self.sip_domains).find(|name| !is_domain(name)) {
            return Err(IdentifierError::Domain(name.clone()));
        }
        match self.tn_ranges.iter().find(|(start, count)| tn_bounds(start, *count).is_none()) {
            Some((start, count)) => Err(IdentifierError::TnRange(start.clone(), *count)),
            None => Ok(()),
        }
    }
}

fn pairs<T: PartialEq>(mine: &[T], theirs: &[T], common: impl Fn(&T, &T) -> Option<T>) -> Vec<T> {
    let mut out = Vec::new();
    for found in mine.iter().flat_map(|a| theirs.iter().filter_map(|b| common(a, b)).collect::<Vec<_>>()) {
        if !out.contains(&found) {
            out.push(found);
        }
    }
    out
}

fn plan_word(plan: u8) -> &'static str {
    if plan == PLAN_E214 { "E.214 " } else { "" }
}

fn is_digits(text: &str) -> bool {
    (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// A host name: labels of 1 to 63 letters, digits and hyphens, 253 octets in all (RFC 1123).
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// True if `name` is `parent` or a label below it. A suffix that does not start at a label is another domain.
fn is_at_or_below(name: &str, parent: &str) -> bool {
    let (name, parent) = (name.as_bytes(), parent.as_bytes());
    let Some(start) = name.len().checked_sub(parent.len()) else { return false };
    let (above, tail) = name.split_at(start);
    tail.eq_ignore_ascii_case(parent) && above.last().is_none_or(|octet| *octet == b'.')
}

/// First and last number of a range, if it is decimal, not empty and keeps its number of digits.
pub(super) fn tn_bounds(start: &str, count: u64) -> Option<(u64, u64)> {
    if !is_digits(start) {
        return None;
    }
    let first: u64 = start.parse().ok()?;
    let last = first.checked_add(count.checked_sub(1)?)?;
    let limit = 10u64.checked_pow(u32::try_from(start.len()).ok()?)?;
    (last < limit).then_some((first, last))
}

pub(super) fn tn_within(inner: (&str, u64), outer: &(String, u64)) -> bool {
    let Some((first, last)) = tn_bounds(inner.0, inner.1) else { return false };
    let Some((outer_first, outer_last)) = tn_bounds(&outer.0, outer.1) else { return false };
    inner.0.len() == outer.0.len() && first >= outer_first && last <= outer_last
}

fn tn_common(a: &(String, u64), b: &(String, u64)) -> Option<(String, u64)> {
    if a.0.len() != b.0.len() {
        return None;
    }
    let ((a_first, a_last), (b_first, b_last)) = (tn_bounds(&a.0, a.1)?, tn_bounds(&b.0, b.1)?);
    let (first, last) = (a_first.max(b_first), a_last.min(b_last));
    (first <= last).then(|| (format!("{first:0width$}", width = a.0.len()), last - first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_ec() -> Identifiers {
        Identifiers {
            gt_prefixes: vec![(1, "99902".into())],
            plmns: vec!["00102".into()],
            ispcs: vec![(0x1020, 0x102f)],
            realms: vec!["epc.mnc002.mcc001.3gppnetwork.org".into()],
            sip_domains: vec!["a.example".into()],
            tn_ranges: vec![("999020000000".into(), 10_000_000)],
            any: false,
        }
    }

    fn region() -> Identifiers {
        Identifiers {
            gt_prefixes: vec![(1, "999".into()), (7, "999".into())],
            plmns: vec!["00101".into(), "00102".into()],
            ispcs: vec![(0x1000, 0x1fff)],
            realms: vec!["mcc001.3gppnetwork.org".into(), "ipx.example".into()],
            sip_domains: vec!["example".into()],
            tn_ranges: vec![("999000000000".into(), 1_000_000_000)],
            any: false,
        }
    }

    #[test]
    fn containment_names_the_first_identifier_outside() {
        let (child, parent) = (a_ec(), region());
        assert_eq!(child.first_outside(&parent), None);
        assert_eq!(child.first_outside(&Identifiers::everything()), None);
        assert!(!Identifiers::everything().is_subset_of(&parent));
        let outside = |change: &dyn Fn(&mut Identifiers)| {
            let mut child = a_ec();
            change(&mut child);
            child.first_outside(&parent)
        };
        assert_eq!(outside(&|c| c.gt_prefixes.push((1, "998".into()))).as_deref(), Some("GT prefix 998"));
        assert_eq!(outside(&|c| c.gt_prefixes.push((7, "99".into()))).as_deref(), Some("GT prefix E.214 99"));
        assert_eq!(outside(&|c| c.plmns.push("00106".into())).as_deref(), Some("PLMN 00106"));
        assert_eq!(outside(&|c| c.ispcs.push((0x1ff0, 0x2000))).as_deref(), Some("point codes 8176-8192"));
        assert_eq!(outside(&|c| c.realms.push("evilipx.example".into())).as_deref(), Some("realm evilipx.example"));
        assert_eq!(outside(&|c| c.sip_domains.push("a.test".into())).as_deref(), Some("SIP domain a.test"));
        let past = outside(&|c| c.tn_ranges.push(("999999999999".into(), 1)));
        assert_eq!(past, None);
        let past = outside(&|c| c.tn_ranges.push(("9990000000".into(), 5)));
        assert_eq!(past.as_deref(), Some("telephone numbers 9990000000+5"));
    }

    #[test]
    fn a_limit_narrows_and_never_widens() {
        let limit = Identifiers {
            gt_prefixes: vec![(1, "999021".into())],
            plmns: vec!["00102".into()],
            ispcs: vec![(0x1028, 0x1100)],
            realms: vec!["3gppnetwork.org".into()],
            tn_ranges: vec![("999025000000".into(), 10_000_000)],
            ..Identifiers::default()
        };
        let both = a_ec().intersect(&limit);
        assert_eq!(both.gt_prefixes, limit.gt_prefixes);
        assert_eq!(both.ispcs, [(0x1028, 0x102f)]);
        assert_eq!(both.realms, a_ec().realms);
        assert!(both.sip_domains.is_empty());
        assert_eq!(both.tn_ranges, [("999025000000".to_owned(), 5_000_000)]);
        assert!(both.is_subset_of(&a_ec()) && both.is_subset_of(&limit));
        assert_eq!(a_ec().intersect(&Identifiers::everything()), a_ec());
        assert_eq!(Identifiers::everything().intersect(&a_ec()), a_ec());
    }
}
