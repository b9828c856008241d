//! Tables for people: columns as wide as their longest cell, numbers to the right.

/// A table that is filled row by row.
pub(super) struct Table {
    head: Vec<&'static str>,
    /// Which columns are numbers.
    numbers: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; one whose title begins with `#` holds numbers.
    pub(super) fn new(titles: &[&'static str]) -> Self {
        let head = titles.iter().map(|title| title.trim_start_matches('#')).collect();
        Self { head, numbers: titles.iter().map(|title| title.starts_with('#')).collect(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(plain).collect());
    }

    /// The table, a line a row, without trailing blanks.
    pub(super) fn show(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|title| (*title).to_owned()).collect();
        let all = || std::iter::once(&head).chain(&self.rows);
        let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in all() {
            let mut line = String::new();
            for (column, width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                let gap = if column == 0 { "" } else { "  " };
                line.push_str(&match self.numbers.get(column) {
                    Some(true) => format!("{gap}{cell:>width$}"),
                    _ => format!("{gap}{cell:<width$}"),
                });
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Text that cannot move the cursor: names in it come from files of others.
fn plain(cell: String) -> String {
    if cell.chars().any(char::is_control) { cell.escape_debug().to_string() } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_control_characters_shown() {
        let mut table = Table::new(&["name", "#count", "text"]);
        table.row(["a".to_owned(), "12345678".to_owned(), "x\x1b[2J".to_owned()]);
        table.row(["longer".to_owned(), "1".to_owned()]);
        assert_eq!(table.show(), "name       count  text\na       12345678  x\\u{1b}[2J\nlonger         1\n");
    }
}
