//! Who may come in: root, the gateway's own user, and members of one group, as the kernel knows the caller.

use crate::system;
use std::fs;
use std::io;
use std::os::unix::net::UnixStream;

/// The longest file of groups that is read, octets.
const MAX_GROUPS: u64 = 4 << 20;

/// A caller, as the kernel knew it when it connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its process.
    pub pid: i32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

impl Caller {
    /// Who is at the other end (SO_PEERCRED, SO_PEERGROUPS).
    /// # Errors
    /// What the kernel says.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let peer = rustix::net::sockopt::socket_peercred(stream)?;
        let groups = system::peer_groups(stream)?;
        Ok(Self { uid: peer.uid.as_raw(), gid: peer.gid.as_raw(), pid: peer.pid.as_raw_nonzero().get(), groups })
    }
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The gateway's user, besides root.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Allowed {
    /// The user of this process, and a group by name or number; without one, that of the process.
    /// # Errors
    /// There is no such group.
    pub fn with_group(group: Option<&str>) -> Result<Self, String> {
        let uid = rustix::process::geteuid().as_raw();
        let gid = match group {
            None => rustix::process::getegid().as_raw(),
            Some(group) => match group.parse() {
                Ok(gid) => gid,
                Err(_) => group_in(&read_groups()?, group).ok_or(format!("there is no group {group}"))?,
            },
        };
        Ok(Self { uid, gid })
    }

    /// Whether this caller may.
    pub fn allows(&self, caller: &Caller) -> bool {
        caller.uid == 0 || caller.uid == self.uid || caller.gid == self.gid || caller.groups.contains(&self.gid)
    }
}

fn read_groups() -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let file = fs::File::open("/etc/group").map_err(|error| format!("/etc/group: {error}"))?;
    file.take(MAX_GROUPS).read_to_string(&mut text).map_err(|error| format!("/etc/group: {error}"))?;
    Ok(text)
}

/// The number of a group in a file of them (group(5)).
fn group_in(text: &str, name: &str) -> Option<u32> {
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find_map(|fields| match fields.as_slice() {
        [group, _, gid, ..] if *group == name => gid.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_the_own_user_and_members_may_and_nobody_else() {
        let allowed = Allowed { uid: 100, gid: 200 };
        let caller = |uid, gid, groups: &[u32]| Caller { uid, gid, pid: 1, groups: groups.to_vec() };
        for (caller, want) in [
            (caller(0, 0, &[]), true),
            (caller(100, 5, &[]), true),
            (caller(7, 200, &[]), true),
            (caller(7, 5, &[6, 200]), true),
            (caller(7, 5, &[]), false),
            (caller(7, 0, &[0, 100]), false),
            (caller(200, 100, &[]), false),
            (caller(u32::MAX, u32::MAX, &[]), false),
        ] {
            assert_eq!(allowed.allows(&caller), want, "{caller:?}");
        }
    }

    #[test]
    fn groups_are_found_by_name_or_number() {
        let text = "root:x:0:\nbroken\nops:x:27:a,b\nopsx:x:28:\n";
        assert_eq!((group_in(text, "ops"), group_in(text, "op"), group_in(text, "broken")), (Some(27), None, None));
        assert_eq!(Allowed::with_group(Some("4711")).map(|one| one.gid), Ok(4711));
        assert_eq!(Allowed::with_group(Some("root")).map(|one| one.gid), Ok(0));
        assert!(Allowed::with_group(Some("no-such-group-here")).is_err());
    }

    #[test]
    fn the_kernel_knows_who_calls() {
        let (one, _other) = UnixStream::pair().expect("sockets");
        let caller = Caller::of(&one).expect("known");
        assert_eq!(caller.uid, rustix::process::geteuid().as_raw());
        assert_eq!(caller.pid, i32::try_from(std::process::id()).expect("a pid"));
        assert!(Allowed::with_group(None).expect("own").allows(&caller));
    }
}
