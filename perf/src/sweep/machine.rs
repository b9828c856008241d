//! The clock of a core.

/// What the system says of a core's clock, GHz. A virtual machine says what its host chose to tell.
pub(super) fn ghz(core: usize) -> Option<f64> {
    read(&std::fs::read_to_string("/proc/cpuinfo").ok()?, core)
}

fn read(text: &str, core: usize) -> Option<f64> {
    let mut found = None;
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.trim() {
            "processor" => found = value.trim().parse::<usize>().ok(),
            "cpu MHz" if found == Some(core) => return value.trim().parse::<f64>().ok().map(|mhz| mhz / 1000.0),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_core_has_its_own_clock() {
        let text = "processor\t: 0\ncpu MHz\t\t: 2596.096\n\nprocessor\t: 1\ncpu MHz\t\t: 3100.5\n";
        assert_eq!((read(text, 0), read(text, 1), read(text, 2)), (Some(2.596_096), Some(3.1005), None));
        assert_eq!(read("processor : 0\n", 0), None, "some processors do not say");
    }
}
