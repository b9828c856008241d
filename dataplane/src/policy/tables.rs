//! The tables of the built-in checks as the packet path reads them: application contexts by name, operations as sets of bits,
//! categories by operation and by command.

use std::collections::HashMap;

use sealgate_config::model::{Category, Policy, tables};

use super::fast::Fast;

/// A set of operation codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Codes([u64; 4]);

impl Codes {
    fn of(codes: &[u8]) -> Self {
        let mut set = Self::default();
        for code in codes {
            if let Some(word) = set.0.get_mut(usize::from(code >> 6)) {
                *word |= 1 << (code & 63);
            }
        }
        set
    }

    /// Whether an operation is in it. What is no octet is in none.
    #[inline]
    pub fn has(&self, code: i32) -> bool {
        u8::try_from(code).is_ok_and(|code| self.0[usize::from(code >> 6)] >> (code & 63) & 1 == 1)
    }
}

/// Whose operations a dialogue has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// TS 29.002.
    Map,
    /// TS 29.078.
    Cap,
}

/// One application context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Content octets of its OBJECT IDENTIFIER.
    pub oid: Box<[u8]>,
    /// Whose operations it has.
    pub protocol: Protocol,
    /// Version of MAP, or phase of CAP.
    pub version: u8,
    /// What the side may invoke that opened the dialogue.
    pub initiator: Codes,
    /// What the other side may invoke.
    pub responder: Codes,
}

/// Every application context. One keeps its number from one snapshot to the next, since open dialogues know it by that.
#[derive(Clone, Debug, Default)]
pub struct Contexts {
    rows: Vec<Context>,
    /// Numbers of those that the policy names, by the seven octets of their names, which those of MAP and CAP have: each at the
    /// first free place from its own on, `u64::MAX` where there is none.
    places: Vec<(u64, u16)>,
    /// Those with other names.
    others: HashMap<Box<[u8]>, u16, Fast>,
}

impl Contexts {
    /// How many can be numbered, those of earlier policies included.
    pub const MOST: usize = (1 << 9) - 1;

    /// Those of the policy's tables; `None` if they are more than [`Contexts::MOST`].
    pub(super) fn compile(policy: &Policy, before: Option<&Self>) -> Option<Self> {
        let mut all = Self { rows: before.map(|old| old.rows.clone()).unwrap_or_default(), ..Self::default() };
        let mut places: HashMap<Box<[u8]>, usize> =
            all.rows.iter().enumerate().map(|(i, row)| (row.oid.clone(), i)).collect();
        let of = |protocol, table: &tables::Operations| {
            table.contexts.iter().map(move |row| Context::of(protocol, row)).collect::<Vec<_>>()
        };
        let tables = &policy.tables;
        // A name in both tables is MAP's: its checks are the stricter ones.
        for row in of(Protocol::Cap, &tables.cap).into_iter().chain(of(Protocol::Map, &tables.map)) {
            let oid = row.oid.clone();
            let place = *places.entry(oid.clone()).or_insert(all.rows.len());
            match all.rows.get_mut(place) {
                Some(old) => *old = row,
                None => all.rows.push(row),
            }
            all.others.insert(oid, u16::try_from(place).ok()?);
        }
        all.places = vec![(u64::MAX, 0); PLACES];
        let usual: Vec<_> = all.others.iter().filter_map(|(oid, number)| Some((seven(oid)?, *number))).collect();
        for (word, number) in usual {
            let mut at = first_place(word);
            while all.places.get(at)?.0 != u64::MAX {
                at = (at + 1) % PLACES;
            }
            *all.places.get_mut(at)? = (word, number);
        }
        all.others.retain(|oid, _| seven(oid).is_none());
        (all.rows.len() <= Self::MOST).then_some(all)
    }

    /// The context of exactly this name: one arc more, one less, or a version that no table has is none.
    #[inline]
    pub fn find(&self, oid: &[u8]) -> Option<(u16, &Context)> {
        let number = match seven(oid) {
            Some(word) => {
                let mut at = first_place(word);
                loop {
                    let &(found, number) = self.places.get(at)?;
                    if found == word {
                        break number;
                    }
                    if found == u64::MAX {
                        return None;
                    }
                    at = (at + 1) % PLACES;
                }
            }
            None => *self.others.get(oid)?,
        };
        Some((number, self.rows.get(usize::from(number))?))
    }

    /// A word of ten bits that says of an open dialogue which context it has, and whether the sender outside opened it;
    /// never 0, which says nothing.
    pub fn word(number: u16, theirs: bool) -> u16 {
        (number + 1) << 1 | u16::from(theirs)
    }

    /// What such a word says.
    #[inline]
    pub fn read(&self, word: u16) -> Option<(&Context, bool)> {
        Some((self.rows.get(usize::from((word >> 1).checked_sub(1)?))?, word & 1 == 1))
    }
}

impl Context {
    fn of(protocol: Protocol, row: &tables::Context) -> Self {
        Self {
            oid: row.oid.as_slice().into(),
            protocol,
            version: row.version,
            initiator: Codes::of(&row.initiator),
            responder: Codes::of(&row.responder),
        }
    }
}

/// Places for names of seven octets: more than twice as many as there can be, so that hardly any two want the same.
const PLACES: usize = 1024;

/// A name of seven octets as a number; below `u64::MAX`.
#[inline]
fn seven(oid: &[u8]) -> Option<u64> {
    let &[a, b, c, d, e, f, g] = oid.try_into().ok()?;
    Some(u64::from_be_bytes([0, a, b, c, d, e, f, g]))
}

#[inline]
fn first_place(word: u64) -> usize {
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % PLACES
}

/// Categories of operations, by code.
#[derive(Clone, Debug)]
pub struct Categories([Category; 256]);

impl Categories {
    fn new(lists: [(Category, &[i32]); 3]) -> Self {
        let mut all = [Category::None; 256];
        for (category, codes) in lists {
            for &code in codes {
                if let Some(place) = usize::try_from(code).ok().and_then(|code| all.get_mut(code)) {
                    *place = category;
                }
            }
        }
        Self(all)
    }

    /// Those of MAP.
    pub(super) fn map(policy: &Policy) -> Self {
        let map = &policy.categories.map;
        Self::new([(Category::Cat1, &map.cat1), (Category::Cat2, &map.cat2), (Category::Cat3, &map.cat3)])
    }

    /// Those of CAP.
    pub(super) fn cap(policy: &Policy) -> Self {
        let mut all = Self::new([(Category::Cat1, &[]), (Category::Cat2, &[]), (Category::Cat3, &[])]);
        for operation in &policy.tables.cap.operations {
            all.0[usize::from(operation.code)] = operation.category;
        }
        all
    }

    /// The category of an operation.
    #[inline]
    pub fn of(&self, code: u8) -> Category {
        self.0[usize::from(code)]
    }

    /// The same of any number: what is no octet has none.
    #[inline]
    pub fn category(&self, op: i32) -> Category {
        u8::try_from(op).map_or(Category::None, |code| self.of(code))
    }

    /// Never meant for outsiders.
    #[inline]
    pub fn is_cat1(&self, op: i32) -> bool {
        self.category(op) == Category::Cat1
    }

    /// Only for the peer's own subscribers.
    #[inline]
    pub fn is_cat2(&self, op: i32) -> bool {
        self.category(op) == Category::Cat2
    }
}

/// Diameter applications, their commands, and the categories of those.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    applications: Vec<u32>,
    by_code: HashMap<u64, Category, Fast>,
}

impl Commands {
    /// Those of the policy.
    pub(super) fn compile(policy: &Policy) -> Self {
        let given = &policy.categories.diameter;
        let lists = [(Category::Cat1, &given.cat1), (Category::Cat2, &given.cat2), (Category::Cat3, &given.cat3)];
        let category = |code: u32| {
            lists.iter().find(|(_, codes)| codes.contains(&code)).map_or(Category::None, |(category, _)| *category)
        };
        let mut all = Self::default();
        for application in policy.tables.diameter.iter() {
            all.applications.push(application.id);
            for command in &application.commands {
                all.by_code.insert(key(application.id, command.code), category(command.code));
            }
        }
        all
    }

    /// The category of a command of this application; `None`: it does not belong there.
    #[inline]
    pub fn category(&self, application: u32, command: u32) -> Option<Category> {
        self.by_code.get(&key(application, command)).copied()
    }

    /// Whether an application is known.
    pub fn has(&self, application: u32) -> bool {
        self.applications.contains(&application)
    }
}

#[inline]
fn key(application: u32, command: u32) -> u64 {
    u64::from(application) << 32 | u64::from(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_wire::diameter::dictionary;
    use sealgate_wire::{cap, map};

    const POLICY: &str = "version: 1\nhome: {gt_prefixes: [{plan: e164, digits: \"99901\"}], plmns: [\"00101\"]}\n\
                          links: {l: {type: m3ua, remote: [192.0.2.1], local: [192.0.2.2], opcs: [1], dpcs: [2]}}\n";

    fn policy(more: &str) -> Policy {
        Policy::parse(&format!("{POLICY}{more}")).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn codes(set: &Codes) -> Vec<i32> {
        (-1..300).filter(|code| set.has(*code)).collect()
    }

    fn sorted(codes: &[u8]) -> Vec<i32> {
        let mut codes: Vec<_> = codes.iter().map(|code| i32::from(*code)).collect();
        codes.sort_unstable();
        codes
    }

    /// Names in `explain` come from the codec, verdicts from the tables: they must speak of the same.
    #[test]
    fn the_tables_and_the_codec_say_the_same() {
        let policy = policy("");
        let contexts = Contexts::compile(&policy, None).expect("few");
        let (mut maps, mut caps) = (0, 0);
        for arc in 0..=255 {
            for (prefix, last) in
                (0..=255).flat_map(|last| [([4, 0, 0, 1, 0], last), ([4, 0, 0, 1, 21], last), ([4, 0, 0, 1, 23], last)])
            {
                let oid = [&prefix[..], &[arc, last]].concat();
                let found = contexts.find(&oid).map(|(_, context)| context);
                match (map::context(&oid), cap::context(&oid)) {
                    (Some(known), None) => {
                        let found = found.unwrap_or_else(|| panic!("{oid:?} is in no table"));
                        assert_eq!((found.protocol, found.version), (Protocol::Map, known.version), "{oid:?}");
                        assert_eq!(codes(&found.initiator), sorted(known.operations), "{oid:?}");
                        assert_eq!(codes(&found.responder), sorted(known.responder), "{oid:?}");
                        maps += 1;
                    }
                    (None, Some(known)) => {
                        let found = found.unwrap_or_else(|| panic!("{oid:?} is in no table"));
                        assert_eq!((found.protocol, found.version), (Protocol::Cap, known.phase), "{oid:?}");
                        caps += 1;
                    }
                    (None, None) => assert_eq!(found, None, "{oid:?}"),
                    both => panic!("{oid:?} is both: {both:?}"),
                }
            }
        }
        let tables = &policy.tables;
        assert_eq!((maps, caps), (tables.map.contexts.len(), tables.cap.contexts.len()));
        for (table, names) in [(&tables.map, map::OPERATIONS), (&tables.cap, cap::OPERATIONS)] {
            let ours: Vec<_> = table.operations.iter().map(|row| (i32::from(row.code), row.name.as_str())).collect();
            assert_eq!(ours, names);
        }
        for context in tables.map.contexts.iter().chain(&*tables.cap.contexts) {
            let name = map::context(&context.oid).map(|known| known.name);
            assert_eq!(name.or(cap::context(&context.oid).map(|known| known.name)), Some(context.name.as_str()));
        }
        for (ours, known) in tables.diameter.iter().zip(dictionary::APPLICATIONS) {
            assert_eq!((ours.id, ours.name.as_str(), ours.clause.as_str()), (known.id, known.name, known.source));
            let commands: Vec<_> = ours.commands.iter().map(|row| (row.code, row.name.as_str())).collect();
            assert_eq!(commands, known.commands.iter().map(|row| (row.code, row.name)).collect::<Vec<_>>());
        }
        assert_eq!(tables.diameter.len(), dictionary::APPLICATIONS.len());
    }

    #[test]
    fn sets_and_categories_have_no_code_beyond_an_octet() {
        let set = Codes::of(&[0, 63, 64, 127, 255]);
        assert_eq!(codes(&set), [0, 63, 64, 127, 255]);
        assert!(!set.has(256) && !set.has(-256) && !set.has(i32::MAX) && !set.has(i32::MIN));
        let policy = policy("");
        let categories = Categories::map(&policy);
        assert!(categories.is_cat1(71) && categories.is_cat2(7) && categories.category(2) == Category::Cat3);
        assert_eq!([71 + 256, -185, i32::MIN].map(|op| categories.category(op)), [Category::None; 3]);
        let commands = Commands::compile(&policy);
        assert_eq!(commands.category(16_777_251, 317), Some(Category::Cat2));
        assert_eq!(commands.category(16_777_217, 306), Some(Category::Cat1));
        assert_eq!((commands.category(16_777_251, 306), commands.category(4, 316)), (None, None));
        assert!(commands.has(16_777_251) && !commands.has(16_777_999));
    }

    #[test]
    fn an_operator_s_category_comes_on_top() {
        let policy = policy("categories: {map: {cat1: [2], cat2: []}, diameter: {cat1: [316]}}\n");
        let categories = Categories::map(&policy);
        assert_eq!(
            [2, 71, 7, 23].map(|op| categories.category(op)),
            [Category::Cat1, Category::None, Category::None, Category::Cat3]
        );
        assert_eq!(Commands::compile(&policy).category(16_777_251, 316), Some(Category::Cat1));
        assert_eq!(Commands::compile(&policy).category(16_777_217, 306), Some(Category::None));
    }

    #[test]
    fn a_context_keeps_its_number_when_others_come_and_go() {
        let mut policy = policy("");
        let first = Contexts::compile(&policy, None).expect("few");
        let location = [4, 0, 0, 1, 0, 1, 3];
        let (number, _) = first.find(&location).expect("known");
        // One is new at the front and of nine octets, all others but one go.
        let mut own = tables::Operations::clone(&policy.tables.map);
        own.contexts.retain(|context| context.oid == location);
        own.contexts.insert(0, tables::Context { oid: vec![4, 0, 0, 1, 0, 1, 3, 9, 9], ..own.contexts[0].clone() });
        policy.tables.map = own.into();
        let next = Contexts::compile(&policy, Some(&first)).expect("few");
        assert_eq!(next.find(&location).map(|(found, _)| found), Some(number));
        assert!(next.find(&[4, 0, 0, 1, 0, 1, 3, 9, 9]).is_some() && next.find(&[4, 0, 0, 1, 0, 1, 3, 9]).is_none());
        assert_eq!(next.find(&[4, 0, 0, 1, 0, 20, 3]), None, "no longer known");
        let (gone, old) = first.find(&[4, 0, 0, 1, 0, 20, 3]).expect("known");
        assert_eq!(next.read(Contexts::word(gone, true)), Some((old, true)), "open dialogues still know it");
        assert_eq!((next.read(0), next.read(1), next.read(0x3ff)), (None, None, None));
    }
}
