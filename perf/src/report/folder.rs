//! The folder of a report: what may be written there, and what an earlier report left.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Names all that a report has written, so that a later one takes away that and nothing else.
pub(super) const LIST: &str = "files.txt";
const HEAD: &str = "Written by sgperf report, which removes these files when it writes here again:";

/// A folder that may be written to.
pub(super) struct Folder {
    path: PathBuf,
    written: Vec<String>,
}

impl Folder {
    /// Makes the folder, or clears it of an earlier report.
    ///
    /// * `force`: go ahead where other files are; none of them is removed, but one of the same name is overwritten
    /// # Errors
    /// A path that is no folder, cannot be written, or holds what no report has written.
    pub(super) fn open(path: &Path, force: bool) -> Result<Self, Box<dyn Error>> {
        let name = path.display();
        fs::create_dir_all(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => format!("{name}: is a file; name a folder with -o"),
            _ => format!("{name}: {error}"),
        })?;
        match fs::read_to_string(path.join(LIST)) {
            Ok(list) if list.starts_with(HEAD) => clear(path, &list),
            _ if force => {}
            _ => {
                if let Some(other) = fs::read_dir(path)?.next() {
                    let other = other?.file_name();
                    return Err(format!(
                        "{name}: holds {}, which no report has written; name another folder, or write there all the \
                         same with --force",
                        other.display()
                    )
                    .into());
                }
            }
        }
        Ok(Self { path: path.to_owned(), written: Vec::new() })
    }

    /// Writes one file.
    ///
    /// * `name`: relative, with `/` between folders
    /// # Errors
    /// What the system says.
    pub(super) fn write(&mut self, name: &str, octets: &[u8]) -> Result<(), Box<dyn Error>> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        }
        fs::write(&path, octets).map_err(|error| format!("{}: {error}", path.display()))?;
        self.written.push(name.to_owned());
        Ok(())
    }

    /// Names all that was written.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut list = format!("{HEAD}\n");
        for name in &self.written {
            list.push_str(name);
            list.push('\n');
        }
        self.write(LIST, list.as_bytes())?;
        Ok(self.written)
    }
}

/// Removes the files that are named, and the folders that are empty then. A list that somebody changed reaches nothing
/// outside.
fn clear(path: &Path, list: &str) {
    for name in list.lines().skip(1) {
        let relative = Path::new(name);
        if !name.is_empty() && relative.components().all(|part| matches!(part, Component::Normal(_))) {
            // What is gone already needs no removal; what cannot be removed is overwritten, or stays.
            let _ = fs::remove_file(path.join(relative));
            for folder in relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
                let _ = fs::remove_dir(path.join(folder));
            }
        }
    }
    let _ = fs::remove_file(path.join(LIST));
}
