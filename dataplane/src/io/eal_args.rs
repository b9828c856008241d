//! What DPDK's environment layer (EAL) is started with. A pure function of configuration and machine, so that each row
//! of the decision is a test.
//!
//! Ports do not appear here: they are plugged in one by one later, since a `--vdev` that fails does not fail EAL.

use super::sizing::Memory;
use sealgate_config::model::{Appliance, CryptoName, Device, Hugepages, PciAddr};
use std::fs;
use std::path::Path;

/// What a crypto device takes beside all else, MB: its queues, operations and sessions.
const CRYPTO_MB: u64 = 16;

/// What the configuration asks of EAL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Core of the thread that starts EAL; `None`: it stays where it is allowed to be.
    pub main: Option<usize>,
    /// Whether packet memory comes from huge pages.
    pub hugepages: Hugepages,
    /// Cards that EAL may take, for packets and for crypto. It touches no other.
    pub pci: Vec<PciAddr>,
    /// Memory needed; see [`Sizing::memory`](super::sizing::Sizing::memory).
    pub memory: Memory,
}

impl Request {
    /// What this appliance asks for.
    ///
    /// * `memory`: for its ports
    pub fn of(appliance: &Appliance, memory: Memory) -> Self {
        let devices = [&appliance.ports.interconnect.device, &appliance.ports.home.device];
        let mut pci: Vec<_> = devices
            .into_iter()
            .filter_map(|device| match device {
                Device::Pci(address) => Some(*address),
                _ => None,
            })
            .collect();
        let mut memory = memory;
        if let Some(device) = &appliance.crypto.device {
            memory = Memory { huge_mb: memory.huge_mb + CRYPTO_MB, small_mb: memory.small_mb + CRYPTO_MB };
            if let CryptoName::Pci(address) = device {
                pci.push(*address);
            }
        }
        Self { main: appliance.cores.main, hugepages: appliance.memory.hugepages, pci, memory }
    }
}

/// What the machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Huge pages of all sizes that nobody uses or has reserved, MB.
    pub free_hugepages_mb: u64,
    /// Whether this process may do everything.
    pub is_root: bool,
    /// Cores that this process may run on, ascending.
    pub cpus: Vec<usize>,
}

impl Facts {
    /// Asks the running system. What it does not tell counts as absent.
    pub fn read() -> Self {
        Self::under(Path::new("/"))
    }

    /// The same, from a copy of `/proc/self/status` and `/sys/kernel/mm/hugepages` under `root`.
    fn under(root: &Path) -> Self {
        let status = fs::read_to_string(root.join("proc/self/status")).unwrap_or_default();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        // Real, effective, saved and file system user: the second decides.
        let user = field("Uid:").and_then(|ids| ids.split_whitespace().nth(1));
        let cpus = field("Cpus_allowed_list:").map(cpu_list).unwrap_or_default();
        Self { free_hugepages_mb: free_hugepages_mb(root), is_root: user == Some("0"), cpus }
    }
}

/// Reads the kernel's list form, `0-3,8`.
fn cpu_list(text: &str) -> Vec<usize> {
    let ranges = text.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    // A kernel has no more cores than that; a longer list is not believed.
    ranges.flatten().take(8192).collect()
}

fn free_hugepages_mb(root: &Path) -> u64 {
    let Ok(sizes) = fs::read_dir(root.join("sys/kernel/mm/hugepages")) else { return 0 };
    let of_size = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let kilobytes: u64 = name.to_str()?.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        let count = |file: &str| fs::read_to_string(entry.path().join(file)).ok()?.trim().parse::<u64>().ok();
        let free = count("free_hugepages")?.saturating_sub(count("resv_hugepages").unwrap_or(0));
        Some(free.saturating_mul(kilobytes))
    };
    sizes.flatten().filter_map(of_size).sum::<u64>() / 1024
}

/// How EAL is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Arguments, without the program's name.
    pub args: Vec<String>,
    /// Whether packet memory is in huge pages.
    pub huge: bool,
    /// What the operator should know, a sentence each.
    pub warnings: Vec<String>,
}

/// The configuration asks for what the machine does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Huge pages are demanded, by `hugepages: on` or by a network card, and there are too few.
    #[error(
        "{why}, but {need_mb} MB are needed and {free_mb} MB are free; \
         reserve more: sysctl vm.nr_hugepages={}", .need_mb.div_ceil(2))]
    Hugepages {
        /// What demands them.
        why: &'static str,
        /// Memory needed, MB.
        need_mb: u64,
        /// Memory free, MB.
        free_mb: u64,
    },
    /// A network card cannot write into ordinary pages.
    #[error("memory.hugepages is off, but a PCI device works with huge pages only; set it to auto or on")]
    PciWithout,
    /// The main core is not one that this process may use.
    #[error("cores.main is {core}, but this process may run on {allowed:?} only")]
    Core {
        /// The core configured.
        core: usize,
        /// The cores allowed.
        allowed: Vec<usize>,
    },
}

/// Decides how EAL is started.
///
/// | huge pages | free ones | memory |
/// | --- | --- | --- |
/// | auto, on | enough | `--in-memory`: no mount, no files left behind, no quarrel with another process |
/// | auto | too few | `--no-huge --no-shconf -m N`, with a warning; with a PCI device an error |
/// | on | too few | an error |
/// | off | any | `--no-huge --no-shconf -m N`; with a PCI device an error |
///
/// Without PCI devices `--no-pci`, else `-a` for each: the machine's other cards are never touched. One lcore, for the
/// thread that starts EAL; workers register themselves. No telemetry socket: what listens can be attacked.
/// # Errors
/// [`Impossible`], with a remedy in its text.
pub fn plan(request: &Request, facts: &Facts) -> Result<Plan, Impossible> {
    let (mut args, mut warnings) = (Vec::new(), Vec::new());
    args.push(format!("--lcores=0@{}", main_cores(request, facts)?));
    if request.pci.is_empty() {
        args.push("--no-pci".to_owned());
    } else {
        args.extend(request.pci.iter().flat_map(|address| ["-a".to_owned(), address.to_string()]));
        if !facts.is_root {
            warnings.push("a PCI device as an ordinary user needs access to its /dev/vfio group".to_owned());
        }
    }
    let huge = huge(request, facts, &mut warnings)?;
    if huge {
        args.push("--in-memory".to_owned());
    } else {
        // Not with --in-memory: EAL refuses the two together. Without --no-shconf a second process could not start.
        args.extend(["--no-huge", "--no-shconf", "-m"].map(str::to_owned));
        args.push(request.memory.small_mb.to_string());
    }
    // What EAL says of itself when all is well is for nobody; its warnings stay. memif warns at every start that there are no
    // secondary processes, which nobody wants.
    let quiet = ["--no-telemetry", "--log-level=lib.eal:warning", "--log-level=pmd.net.memif:error"];
    args.extend(quiet.map(str::to_owned));
    Ok(Plan { args, huge, warnings })
}

/// The core of EAL's only lcore, or the set of those allowed, so that the calling thread is not pinned.
fn main_cores(request: &Request, facts: &Facts) -> Result<String, Impossible> {
    match request.main {
        Some(core) if !facts.cpus.is_empty() && !facts.cpus.contains(&core) => {
            Err(Impossible::Core { core, allowed: facts.cpus.clone() })
        }
        Some(core) => Ok(core.to_string()),
        None if facts.cpus.is_empty() => Ok("0".to_owned()),
        None => {
            let cpus: Vec<_> = facts.cpus.iter().map(usize::to_string).collect();
            Ok(format!("({})", cpus.join(",")))
        }
    }
}

/// Whether packet memory is in huge pages.
fn huge(request: &Request, facts: &Facts, warnings: &mut Vec<String>) -> Result<bool, Impossible> {
    let (need_mb, free_mb) = (request.memory.huge_mb, facts.free_hugepages_mb);
    let enough = free_mb >= need_mb;
    let lacking = |why| Err(Impossible::Hugepages { why, need_mb, free_mb });
    match (request.hugepages, request.pci.is_empty()) {
        (Hugepages::Off, false) => Err(Impossible::PciWithout),
        (Hugepages::Off, true) => Ok(false),
        (Hugepages::Auto | Hugepages::On, _) if enough => Ok(true),
        (Hugepages::On, _) => lacking("memory.hugepages is on"),
        (Hugepages::Auto, false) => lacking("a PCI device works with huge pages only"),
        (Hugepages::Auto, true) => {
            warnings.push(format!(
                "packet memory is in ordinary pages, which costs speed: {need_mb} MB of huge pages are needed and \
                 {free_mb} MB are free (sysctl vm.nr_hugepages={})",
                need_mb.div_ceil(2)
            ));
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: &str = "--no-telemetry --log-level=lib.eal:warning --log-level=pmd.net.memif:error";

    const PCI: PciAddr = PciAddr { domain: 0, bus: 0x3b, device: 0, function: 1 };

    fn request(hugepages: Hugepages, pci: &[PciAddr]) -> Request {
        Request { main: Some(0), hugepages, pci: pci.to_vec(), memory: Memory { huge_mb: 128, small_mb: 150 } }
    }

    fn facts(free_hugepages_mb: u64) -> Facts {
        Facts { free_hugepages_mb, is_root: true, cpus: vec![0, 1, 4] }
    }

    fn args(request: Request, facts: Facts) -> String {
        plan(&request, &facts).unwrap().args.join(" ")
    }

    #[test]
    fn enough_huge_pages_are_used_in_memory() {
        for wish in [Hugepages::Auto, Hugepages::On] {
            let plan = plan(&request(wish, &[]), &facts(128)).unwrap();
            assert_eq!(plan.args.join(" "), format!("--lcores=0@0 --no-pci --in-memory {QUIET}"));
            assert!(plan.huge && plan.warnings.is_empty());
        }
    }

    #[test]
    fn an_ordinary_user_gets_the_same() {
        let user = |free| Facts { is_root: false, ..facts(free) };
        for free in [0, 128] {
            assert_eq!(
                plan(&request(Hugepages::Auto, &[]), &user(free)),
                plan(&request(Hugepages::Auto, &[]), &facts(free))
            );
        }
    }

    #[test]
    fn too_few_huge_pages_mean_ordinary_ones_and_a_warning() {
        let plan = plan(&request(Hugepages::Auto, &[]), &facts(127)).unwrap();
        assert_eq!(plan.args.join(" "), format!("--lcores=0@0 --no-pci --no-huge --no-shconf -m 150 {QUIET}"));
        assert!(!plan.huge && plan.warnings[0].contains("vm.nr_hugepages=64"), "{:?}", plan.warnings);
    }

    #[test]
    fn off_means_ordinary_pages_without_a_warning() {
        let plan = plan(&request(Hugepages::Off, &[]), &facts(4096)).unwrap();
        assert_eq!(plan.args.join(" "), format!("--lcores=0@0 --no-pci --no-huge --no-shconf -m 150 {QUIET}"));
        assert!(plan.warnings.is_empty());
    }

    #[test]
    fn on_with_too_few_is_an_error_with_its_remedy() {
        let error = plan(&request(Hugepages::On, &[]), &facts(100)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "memory.hugepages is on, but 128 MB are needed and 100 MB are free; reserve more: sysctl vm.nr_hugepages=64"
        );
    }

    #[test]
    fn cards_are_named_one_by_one_and_want_huge_pages() {
        let two = [PCI, PciAddr { function: 0, ..PCI }];
        assert_eq!(
            args(request(Hugepages::Auto, &two), facts(128)),
            format!("--lcores=0@0 -a 0000:3b:00.1 -a 0000:3b:00.0 --in-memory {QUIET}")
        );
        let lacking = plan(&request(Hugepages::Auto, &two), &facts(0)).unwrap_err();
        assert!(lacking.to_string().starts_with("a PCI device works with huge pages only, but 128 MB"), "{lacking}");
        assert_eq!(plan(&request(Hugepages::Off, &two), &facts(128)), Err(Impossible::PciWithout));
        let user = plan(&request(Hugepages::Auto, &two), &Facts { is_root: false, ..facts(128) }).unwrap();
        assert!(user.warnings[0].contains("/dev/vfio"));
    }

    #[test]
    fn a_crypto_card_is_allowed_beside_the_ports_and_has_its_memory() {
        let text = |crypto: &str| {
            format!(
                "cores: {{workers: [1]}}\nports: {{interconnect: {{device: \"0000:3b:00.1\"}}, home: {{device: \"null\"}}}}\n\
                 crypto: {{{crypto}}}\ntrust: {{anchors: [r], certificates: c, crls: l, keys: k}}\npolicy: p.yaml\n"
            )
        };
        let of = |crypto: &str| {
            let appliance = sealgate_config::parse_appliance(&text(crypto), "a.yaml").unwrap();
            Request::of(&appliance, Memory { huge_mb: 100, small_mb: 110 })
        };
        let more = Memory { huge_mb: 116, small_mb: 126 };
        assert_eq!(
            of(""),
            Request {
                main: None,
                hugepages: Hugepages::Auto,
                pci: vec![PCI],
                memory: Memory { huge_mb: 100, small_mb: 110 }
            }
        );
        let card = PciAddr { domain: 0, bus: 0x3d, device: 1, function: 0 };
        assert_eq!(of("device: \"0000:3d:01.0\""), Request { pci: vec![PCI, card], memory: more, ..of("") });
        assert_eq!(of("device: crypto_null"), Request { memory: more, ..of("") });
    }

    #[test]
    fn the_main_thread_is_pinned_only_where_the_configuration_says_so() {
        let with = |main, facts| plan(&Request { main, ..request(Hugepages::Off, &[]) }, &facts);
        assert_eq!(with(Some(4), facts(0)).unwrap().args[0], "--lcores=0@4");
        assert_eq!(with(None, facts(0)).unwrap().args[0], "--lcores=0@(0,1,4)");
        assert_eq!(with(None, Facts { cpus: vec![], ..facts(0) }).unwrap().args[0], "--lcores=0@0");
        let error = with(Some(2), facts(0)).unwrap_err().to_string();
        assert_eq!(error, "cores.main is 2, but this process may run on [0, 1, 4] only");
    }

    #[test]
    fn the_machine_is_read_from_its_files() {
        let root = std::env::temp_dir().join(format!("sealgate-facts-{}", std::process::id()));
        let put = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("proc/self/status", "Name:\tx\nUid:\t1000\t0\t0\t0\nCpus_allowed_list:\t0-2,7,9-10\n");
        put("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "130\n");
        put("sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", "2\n");
        put("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
        put("sys/kernel/mm/hugepages/other/free_hugepages", "9\n");
        let got = Facts::under(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(got, Facts { free_hugepages_mb: 256 + 1024, is_root: true, cpus: vec![0, 1, 2, 7, 9, 10] });
        let nothing = Facts::under(&root);
        assert_eq!(nothing, Facts { free_hugepages_mb: 0, is_root: false, cpus: vec![] });
        assert!(!Facts::read().cpus.is_empty());
    }
}
