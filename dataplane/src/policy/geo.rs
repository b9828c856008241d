//! Where numbers and networks are, and whether somebody can have come from one place to another.
//!
//! A place has a number, 0 is not known. It keeps it from one snapshot to the next, by its coordinates: what is remembered of
//! subscribers knows places by it. On the packet path a distance is that of two unit vectors, and a table says which distance can be
//! covered: no trigonometry, a few nanoseconds.

use std::collections::HashMap;

use sealgate_config::model::{GeoCode, GeoPlace};
use sealgate_wire::addr::Digits;

use super::prefix::PrefixTree;
use crate::state::subscribers::PLACES;

/// Number of a place; 0: not known.
pub type PlaceId = u16;

/// Mean radius of the earth, kilometres (IUGG).
const EARTH_KM: f64 = 6371.0088;
/// The longest way on it.
const FURTHEST_KM: u32 = 20_016;
/// Width of a step of the table of distances, kilometres.
const STEP_KM: u32 = 8;

/// One place.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Spot {
    /// Latitude, longitude and radius, as the policy has them.
    said: (i32, i32, u16),
    /// The middle of it on a sphere of radius 1.
    at: [f64; 3],
}

impl Spot {
    fn of(said: (i32, i32, u16)) -> Self {
        let radians = |millionths: i32| (f64::from(millionths) / 1e6).to_radians();
        let (latitude, longitude) = (radians(said.0), radians(said.1));
        let flat = latitude.cos();
        Self { said, at: [flat * longitude.cos(), flat * longitude.sin(), latitude.sin()] }
    }
}

/// The places of a policy. Built once by control, read by workers.
#[derive(Clone, Default, Debug)]
pub struct Geo {
    /// Place 1 is the first.
    spots: Vec<Spot>,
    numbers: PrefixTree<PlaceId>,
    networks: PrefixTree<PlaceId>,
    /// The square of the chord of each whole number of steps.
    chords: Box<[f64]>,
}

impl Geo {
    /// The places of a policy.
    ///
    /// * `before`: those of the snapshot before, which keep their numbers
    ///
    /// `None`: more places than there are numbers, those of earlier policies since the start included.
    pub fn compile(places: &[GeoPlace], before: Option<&Self>) -> Option<Self> {
        let mut spots = before.map(|geo| geo.spots.clone()).unwrap_or_default();
        let mut known: HashMap<_, _> = spots.iter().enumerate().map(|(i, spot)| (spot.said, i + 1)).collect();
        let (mut numbers, mut networks) = (PrefixTree::default(), PrefixTree::default());
        for place in places {
            let said = (place.latitude, place.longitude, place.radius_km);
            let id = *known.entry(said).or_insert_with(|| {
                spots.push(Spot::of(said));
                spots.len()
            });
            let id = PlaceId::try_from(id).ok().filter(|id| usize::from(*id) < PLACES)?;
            match &place.code {
                GeoCode::Number(digits) => numbers.entry(digits, || id),
                GeoCode::Network(digits) => networks.entry(digits, || id),
            };
        }
        let chord = |step: u32| {
            let half = f64::from(step * STEP_KM) / EARTH_KM / 2.0;
            (2.0 * half.min(std::f64::consts::FRAC_PI_2).sin()).powi(2)
        };
        Some(Self { spots, numbers, networks, chords: (0..=FURTHEST_KM / STEP_KM).map(chord).collect() })
    }

    /// Where the node with this number is.
    pub fn of_number(&self, number: &Digits) -> PlaceId {
        self.numbers.longest(number).copied().unwrap_or(0)
    }

    /// Where a network is.
    ///
    /// * `plmn`: MCC and MNC
    pub fn of_network(&self, plmn: &Digits) -> PlaceId {
        self.networks.longest(plmn).copied().unwrap_or(0)
    }

    /// False if nobody can have come from one place to the other: their nearest points are further apart. True also where one of
    /// them is not known. Rounded in favour of the traveller.
    ///
    /// * `most_ms`: the time that it took at most; `kmh`: the fastest that anybody is
    pub fn is_within_reach(&self, from: PlaceId, to: PlaceId, most_ms: u64, kmh: u32) -> bool {
        let spot = |id: PlaceId| self.spots.get(usize::from(id).checked_sub(1)?);
        let (Some(a), Some(b)) = (spot(from), spot(to)) else { return true };
        let covered = u64::from(kmh).saturating_mul(most_ms) / 3_600_000;
        let near = covered + u64::from(a.said.2) + u64::from(b.said.2);
        // One step for the division, one for the table, and as much for the precision of both.
        let step = near / u64::from(STEP_KM) + 2;
        let reach = usize::try_from(step).ok().and_then(|step| self.chords.get(step));
        reach.is_none_or(|reach| chord(&a.at, &b.at) <= *reach)
    }

    /// Latitude and longitude in millionths of a degree and radius in kilometres of each place, from place 1 on.
    pub(crate) fn said(&self) -> impl Iterator<Item = (i32, i32, u16)> {
        self.spots.iter().map(|spot| spot.said)
    }
}

/// The square of the straight line between two points of a sphere of radius 1.
fn chord(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(code: GeoCode, latitude: f64, longitude: f64, radius_km: u16) -> GeoPlace {
        let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
        let name = "somewhere".to_owned();
        GeoPlace { code, latitude: millionths(latitude), longitude: millionths(longitude), radius_km, name }
    }

    fn number(text: &str) -> GeoCode {
        GeoCode::Number(text.parse().unwrap_or_default())
    }

    /// The haversine formula, in degrees and kilometres.
    fn haversine((a, b): (f64, f64), (c, d): (f64, f64)) -> f64 {
        let half = |x: f64| (x.to_radians() / 2.0).sin().powi(2);
        let h = half(c - a) + a.to_radians().cos() * c.to_radians().cos() * half(d - b);
        2.0 * EARTH_KM * h.sqrt().min(1.0).asin()
    }

    #[test]
    fn the_longest_prefix_says_where_a_number_is() {
        let network = |text: &str| GeoCode::Network(text.parse().unwrap_or_default());
        let said = [
            place(number("1"), 45.0, -100.0, 5500),
            place(number("1212"), 40.7, -74.0, 50),
            place(network("310"), 45.0, -100.0, 5500),
            place(network("31026"), 40.7, -74.0, 50),
        ];
        let geo = Geo::compile(&said, None).expect("four places");
        let of = |text: &str| geo.of_number(&text.parse().unwrap_or_default());
        assert_eq!((of("12125550123"), of("13105550123"), of("4420")), (2, 1, 0));
        let of = |text: &str| geo.of_network(&text.parse().unwrap_or_default());
        assert_eq!((of("310260"), of("310410"), of("23415")), (2, 1, 0), "the same places as of the numbers");
    }

    #[test]
    fn a_place_keeps_its_number_whatever_a_policy_adds_or_leaves_out() {
        let (a, b) = (place(number("1"), 1.0, 1.0, 1), place(number("2"), 2.0, 2.0, 2));
        let first = Geo::compile(&[a.clone(), b.clone()], None).expect("two");
        let third = place(number("3"), 3.0, 3.0, 3);
        let next = Geo::compile(&[third, GeoPlace { code: number("4"), ..b }], Some(&first)).expect("three");
        let of = |geo: &Geo, text: &str| geo.of_number(&text.parse().unwrap_or_default());
        assert_eq!((of(&first, "2"), of(&next, "4"), of(&next, "3"), of(&next, "1")), (2, 2, 3, 0));
        let many =
            |from: i32| (0..1500).map(move |i| place(number(&i.to_string()), f64::from(from), f64::from(i) / 100.0, 0));
        let one = Geo::compile(&many(1).collect::<Vec<_>>(), None).expect("room");
        assert!(Geo::compile(&many(2).collect::<Vec<_>>(), Some(&one)).is_none(), "three thousand");
    }

    #[test]
    fn nine_thousand_kilometres_take_nine_hours() {
        // Along the equator.
        let degrees = 9000.0 / EARTH_KM * 180.0 / std::f64::consts::PI;
        let geo = Geo::compile(&[place(number("1"), 0.0, 0.0, 0), place(number("2"), 0.0, degrees, 0)], None);
        let geo = geo.expect("two places");
        let minutes = |minutes: u64| geo.is_within_reach(1, 2, minutes * 60_000, 1000);
        assert!(!minutes(3) && !minutes(530) && minutes(540) && minutes(720));
        assert!(geo.is_within_reach(0, 2, 0, 1000) && geo.is_within_reach(1, 0, 0, 1000), "nobody knows where");
        assert!(geo.is_within_reach(1, 9, 0, 1000), "no such place");
        assert!(geo.is_within_reach(1, 2, u64::MAX, 10_000));
        // What reaches far is near.
        let wide = [place(number("1"), 0.0, 0.0, 5000), place(number("2"), 0.0, degrees, 4000)];
        assert!(Geo::compile(&wide, None).expect("two places").is_within_reach(1, 2, 0, 1000));
    }

    #[test]
    fn the_example_has_neighbours_that_touch_and_others_that_do_not() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/geo.csv");
        let places = sealgate_config::load_geo(path.as_ref()).unwrap_or_else(|faults| panic!("{faults}"));
        let geo = Geo::compile(&places, None).expect("fewer than 2048");
        let of = |text: &str| geo.of_number(&text.parse().unwrap_or_default());
        for (a, b) in [
            ("49", "43"),
            ("49", "48"),
            ("33", "34"),
            ("33", "49"),
            ("34", "351"),
            ("34", "212"),
            ("39", "216"),
            ("7", "358"),
            ("7", "81"),
            ("7", "48"),
            ("1", "52"),
            ("55", "598"),
            ("54", "56"),
            ("86", "91"),
            ("86", "852"),
            ("91", "977"),
            ("27", "267"),
            ("20", "249"),
            ("20", "972"),
            ("44", "353"),
            ("46", "47"),
            ("46", "45"),
            ("60", "65"),
            ("61", "62"),
            ("234", "229"),
            ("243", "250"),
            ("57", "507"),
            ("966", "971"),
            ("90", "30"),
            ("380", "373"),
        ] {
            assert!(geo.is_within_reach(of(a), of(b), 0, 1000), "+{a} and +{b} have a border");
        }
        for (a, b) in [("49", "1"), ("49", "61"), ("44", "81"), ("27", "44"), ("55", "86"), ("64", "34"), ("91", "33")]
        {
            assert!(!geo.is_within_reach(of(a), of(b), 300_000, 1000), "+{a} and +{b} in five minutes");
        }
    }

    proptest! {
        #[test]
        fn nobody_is_refused_a_journey_that_the_haversine_formula_allows(
            a in (-90.0..90.0_f64, -180.0..180.0_f64), b in (-90.0..90.0_f64, -180.0..180.0_f64),
            kmh in 100..2000_u32, r in (0..500_u16, 0..500_u16),
        ) {
            let round = |x: f64| (x * 1e6).round() / 1e6;
            let (a, b) = ((round(a.0), round(a.1)), (round(b.0), round(b.1)));
            let geo = Geo::compile(&[place(number("1"), a.0, a.1, r.0), place(number("2"), b.0, b.1, r.1)], None);
            let geo = geo.expect("two places");
            let km = haversine(a, b) - f64::from(r.0) - f64::from(r.1);
            let ms = (km.max(0.0) / f64::from(kmh) * 3_600_000.0).ceil() as u64;
            prop_assert!(geo.is_within_reach(1, 2, ms, kmh), "{km} km in {ms} ms at {kmh} km/h");
            // And one that would be 30 km longer than time allows is found.
            let too_fast = ((km - 30.0) / f64::from(kmh) * 3_600_000.0).floor();
            if too_fast > 0.0 {
                prop_assert!(!geo.is_within_reach(1, 2, too_fast as u64, kmh), "{km} km in {too_fast} ms at {kmh} km/h");
            }
        }
    }
}
