//! Which URLs are fetched, and when: a table without clock or network. Callers choose the URLs, so everything here is bounded: URLs
//! that are known, fetches at a time, fetches of one host, and how soon a URL that gave nothing is asked again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sealgate_wire::sec::passport::x5u_host;

/// Longest time that a certificate is kept, seconds (formats 8).
pub const KEEP_S: i64 = 24 * 3600;
/// How long before that it is fetched again: a call shall not find it gone.
const EARLY_S: i64 = 1800;
/// How long a URL that gave nothing is left alone.
const FAILED_S: i64 = 60;
/// Fetches at a time.
pub const AT_ONCE: usize = 8;
/// URLs that wait for their turn.
const WAITING: usize = 256;
/// Fetches of one host that may come at once, and how many more a minute.
const HOST_BURST: i64 = 32;
const HOST_PER_MINUTE: i64 = 60;
/// Part of all certificates that one host may have, as a divisor.
const HOST_SHARE: usize = 4;

/// How a URL stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It waits for its turn, or is being fetched.
    Asked,
    /// Its certificate is used until then; `again`: when it is fetched anew.
    Known { until: i64, again: i64 },
    /// It gave nothing.
    Failed { until: i64 },
}

struct Entry {
    state: State,
    /// Being fetched anew while what it gave is still used, until then.
    used_until: Option<i64>,
}

/// Fetches that a host has left, in sixtieths, and when that was so.
struct Host {
    left: i64,
    at: i64,
}

/// What is known of all URLs.
pub struct Book {
    limit: usize,
    entries: HashMap<Arc<str>, Entry>,
    hosts: HashMap<String, Host>,
    waiting: VecDeque<Arc<str>>,
    fetching: usize,
    /// URLs that were not fetched because of a limit.
    pub refused: u64,
}

/// The host of a URL that may be fetched. With a query or a fragment one file has any number of names: nobody fetches those.
fn host_of(url: &str) -> Option<String> {
    let host = x5u_host(url.as_bytes()).filter(|_| !url.contains(['?', '#']))?;
    Some(std::str::from_utf8(host).ok()?.to_ascii_lowercase())
}

impl Book {
    /// A book of at most `limit` certificates.
    pub fn new(limit: usize) -> Self {
        let (entries, hosts) = (HashMap::new(), HashMap::new());
        Self { limit, entries, hosts, waiting: VecDeque::new(), fetching: 0, refused: 0 }
    }

    /// A call named this URL, and nobody has its certificate. Returns whether it will be fetched.
    pub fn want(&mut self, url: &str, now: i64) -> bool {
        if let Some(Entry { state, .. }) = self.entries.get(url) {
            match state {
                State::Asked => return true,
                State::Known { until, .. } if now < *until => return true, // about to be in force
                State::Failed { until } if now < *until => return false,
                _ => {}
            }
        }
        self.ask(url, None, now)
    }

    /// Puts a URL into the queue, unless a limit is reached.
    fn ask(&mut self, url: &str, used_until: Option<i64>, now: i64) -> bool {
        let may = host_of(url).filter(|host| self.has_room(url, host, now));
        let Some(host) = may.filter(|host| self.take(host, now)) else {
            self.refused += 1;
            return false;
        };
        drop(host);
        let url: Arc<str> = url.into();
        self.entries.insert(Arc::clone(&url), Entry { state: State::Asked, used_until });
        self.waiting.push_back(url);
        true
    }

    /// Whether one more of this host may be known.
    fn has_room(&mut self, url: &str, host: &str, now: i64) -> bool {
        if self.waiting.len() >= WAITING {
            return false;
        }
        if self.entries.contains_key(url) {
            return true;
        }
        if self.entries.len() >= self.limit {
            self.entries.retain(|_, entry| !matches!(entry.state, State::Failed { until } if until <= now));
        }
        let of_host = || self.entries.keys().filter(|other| host_of(other).as_deref() == Some(host)).count();
        self.entries.len() < self.limit && of_host() < (self.limit / HOST_SHARE).max(1)
    }

    /// Takes one fetch of a host's allowance.
    fn take(&mut self, host: &str, now: i64) -> bool {
        // Hosts are those of the policy: few.
        let full = HOST_BURST * 60;
        let one = self.hosts.entry(host.to_owned()).or_insert(Host { left: full, at: now });
        let gained = (now - one.at).clamp(0, HOST_BURST * 60).saturating_mul(HOST_PER_MINUTE);
        (one.left, one.at) = ((one.left + gained).min(full), now.max(one.at));
        let may = one.left >= 60;
        if may {
            one.left -= 60;
        }
        may
    }

    /// The next URL to fetch, if one may be fetched now.
    pub fn next(&mut self) -> Option<Arc<str>> {
        if self.fetching >= AT_ONCE {
            return None;
        }
        let url = self.waiting.pop_front()?;
        self.fetching += 1;
        Some(url)
    }

    /// A fetch has ended; `not_after`: end of the certificate that is used from now on, `None` if there is none.
    pub fn done(&mut self, url: &str, not_after: Option<i64>, now: i64) {
        self.fetching = self.fetching.saturating_sub(1);
        let Some(entry) = self.entries.get_mut(url) else { return };
        entry.state = match (not_after, entry.used_until) {
            (Some(end), _) => {
                let until = end.min(now + KEEP_S);
                State::Known { until, again: until - EARLY_S.min((until - now) / 2) }
            }
            // What it gave before is good for its time; it is asked once more a little later.
            (None, Some(until)) if now < until => State::Known { until, again: now + FAILED_S },
            (None, _) => State::Failed { until: now + FAILED_S },
        };
        if not_after.is_some() {
            entry.used_until = None;
        }
    }

    /// What time alone changes: URLs to fetch again are queued; those whose certificates are over are returned.
    pub fn pass(&mut self, now: i64) -> Vec<Arc<str>> {
        let over = |entry: &Entry| match entry.state {
            State::Known { until, .. } => until <= now,
            State::Asked => entry.used_until.is_some_and(|until| until <= now),
            State::Failed { .. } => false,
        };
        let gone: Vec<_> =
            self.entries.iter().filter(|(_, entry)| over(entry)).map(|(url, _)| Arc::clone(url)).collect();
        for url in &gone {
            match self.entries.get_mut(url) {
                Some(entry) if entry.state == State::Asked => entry.used_until = None,
                _ => drop(self.entries.remove(url)),
            }
        }
        let due = |entry: &Entry| match entry.state {
            State::Known { until, again } if again <= now => Some(until),
            _ => None,
        };
        let again: Vec<_> =
            self.entries.iter().filter_map(|(url, entry)| Some((Arc::clone(url), due(entry)?))).collect();
        for (url, until) in again {
            if !self.ask(&url, Some(until), now)
                && let Some(entry) = self.entries.get_mut(&url)
            {
                entry.state = State::Known { until, again: now + FAILED_S };
            }
        }
        gone
    }

    /// Certificates that are used.
    pub fn known(&self) -> usize {
        let used = |entry: &&Entry| matches!(entry.state, State::Known { .. }) || entry.used_until.is_some();
        self.entries.values().filter(used).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = KEEP_S;

    fn fetched(book: &mut Book) -> Vec<String> {
        std::iter::from_fn(|| book.next()).map(|url| url.to_string()).collect()
    }

    #[test]
    fn a_url_is_fetched_once_kept_for_its_time_and_fetched_again_before_its_end() {
        let mut book = Book::new(16);
        let url = "https://a.example/1.pem";
        assert!(book.want(url, 0) && book.want(url, 0));
        assert_eq!(fetched(&mut book), [url]);
        book.done(url, Some(10 * DAY), 1);
        assert!(book.want(url, 2) && fetched(&mut book).is_empty());
        assert_eq!((book.pass(DAY - EARLY_S), book.known()), (vec![], 1));
        assert!(fetched(&mut book).is_empty(), "a second early");
        assert_eq!(book.pass(DAY + 1 - EARLY_S), []);
        assert_eq!(fetched(&mut book), [url]);
        // The host does not answer: what it gave before is used to its end, and it is asked again.
        book.done(url, None, DAY + 10 - EARLY_S);
        assert_eq!((book.pass(DAY - 1000), book.known()), (vec![], 1));
        assert_eq!(fetched(&mut book), [url]);
        book.done(url, None, DAY - 990);
        assert_eq!((book.pass(DAY + 1), book.known()), (vec![url.into()], 0));
        // Its end counts where it comes before the day's.
        assert!(book.want(url, DAY + 2));
        assert_eq!(fetched(&mut book), [url]);
        book.done(url, Some(DAY + 102), DAY + 2);
        assert_eq!(book.pass(DAY + 101), []);
        assert_eq!(fetched(&mut book), [url]);
        assert_eq!(book.pass(DAY + 102), [url.into()], "while it is being fetched");
        book.done(url, None, DAY + 103);
        assert!(!book.want(url, DAY + 104), "it gave nothing");
        assert!(book.want(url, DAY + 103 + FAILED_S));
    }

    #[test]
    fn callers_cannot_make_us_flood_a_host_or_fill_the_book() {
        let mut book = Book::new(16);
        for url in ["http://a.example/1", "https://u@a.example/1", "https://a.example/1?2", "https://a.example/1#2"] {
            assert!(!book.want(url, 0), "{url}");
        }
        let url = |host: &str, i: i64| format!("https://{host}.example/{i}.pem");
        // A host has a quarter of the book; what failed makes room again.
        assert_eq!((0..10).filter(|&i| book.want(&url("a", i), 0)).count(), 4);
        assert!(book.want(&url("b", 0), 0));
        assert_eq!(fetched(&mut book).len(), 5);
        for i in 0..4 {
            book.done(&url("a", i), None, 0);
        }
        // And 32 fetches at once, then one a second, whatever the size of the book.
        let mut book = Book::new(4096);
        assert_eq!((0..100).filter(|&i| book.want(&url("a", i), 0)).count(), 32);
        assert_eq!((100..200).filter(|&i| book.want(&url("a", i), 5)).count(), 5);
        assert_eq!((200..300).filter(|&i| book.want(&url("a", i), 1_000_000)).count(), 32);
        assert_eq!(fetched(&mut book).len(), AT_ONCE, "at a time");
        assert!(book.refused > 200);
    }

    #[test]
    fn a_full_book_forgets_what_gave_nothing() {
        let mut book = Book::new(16);
        let url = |host: usize, i: usize| format!("https://h{host}.example/{i}.pem");
        let all: Vec<_> = (0..4).flat_map(|host| (0..4).map(move |i| url(host, i))).collect();
        for one in &all {
            assert!(book.want(one, 0));
        }
        assert!(!book.want(&url(5, 0), 0), "full");
        let mut left = all.len();
        while left > 0 {
            left -= fetched(&mut book).iter().map(|url| book.done(url, None, 0)).count();
        }
        assert!(!book.want(&url(5, 0), FAILED_S - 1));
        assert!(book.want(&url(5, 0), FAILED_S));
    }
}
