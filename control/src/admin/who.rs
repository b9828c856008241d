//! Who may come in: root, the gateway's own user, and members of one group, as the kernel knows the caller.

use crate::system;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use std::io;
use std::os::unix::net::UnixStream;

/// A caller, as the kernel knew it when it connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its process; 0 if it is in a container that this one does not see into.
    pub pid: i32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

impl Caller {
    /// Who is at the other end (SO_PEERCRED, SO_PEERGROUPS).
    /// # Errors
    /// What the kernel says.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let peer = getsockopt(stream, PeerCredentials)?;
        let groups = system::peer_groups(stream)?;
        Ok(Self { uid: peer.uid(), gid: peer.gid(), pid: peer.pid(), groups })
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
                Err(_) => {
                    let found = nix::unistd::Group::from_name(group).map_err(|error| format!("{group}: {error}"))?;
                    found.ok_or(format!("there is no group {group}"))?.gid.as_raw()
                }
            },
        };
        Ok(Self { uid, gid })
    }

    /// Whether this caller may.
    pub fn allows(&self, caller: &Caller) -> bool {
        caller.uid == 0 || caller.uid == self.uid || caller.gid == self.gid || caller.groups.contains(&self.gid)
    }
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
