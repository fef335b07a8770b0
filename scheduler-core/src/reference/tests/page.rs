//! `docs/configuration.md`: its tables are made of the rows. `scripts/snapshots` writes them anew.

use super::*;

#[test]
fn the_page_has_the_tables_that_the_rows_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let text = std::fs::read_to_string(path).expect(path);
    let text = filled(&text, "config.yaml", &table(&config::KEYS, ""));
    let text = filled(&text, "jobs.json", &table(&job::ROWS, ""));
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::Data::read_from(path.as_ref(), None).raw());
}

/// The page with `table` in the place that is marked with `name`.
fn filled(page: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- {name}: written by scripts/snapshots -->\n");
    let (head, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("the page has no place for {name}"));
    let (_, tail) = rest.split_once("<!-- end -->").expect("an end of the table");
    format!("{head}{begin}\n{table}\n<!-- end -->{tail}")
}

fn table(rows: &[Row], within: &str) -> String {
    let head = if within.is_empty() {
        "| key | value | default | what it does | example |\n|---|---|---|---|---|\n"
    } else {
        ""
    };
    let lines = rows.iter().map(|row| {
        let path = format!("{within}{}", row.name);
        let examples: Vec<String> = row.examples.iter().map(|text| code(text)).collect();
        let cells = [code(&path), shape(row), absent(row), row.does.to_owned(), examples.join(", ")];
        format!("| {} |\n{}", cells.map(|cell| cell.replace('|', "\\|")).join(" | "), table_inside(row, &path))
    });
    lines.fold(head.to_owned(), |text, line| text + &line)
}

fn table_inside(row: &Row, path: &str) -> String {
    match row.shape {
        Shape::Named(rows) => table(rows, &format!("{path}.NAME.")),
        Shape::Entries(rows) => table(rows, &format!("{path}[].")),
        _ if row.inside().is_empty() => String::new(),
        _ => table(row.inside(), &format!("{path}.")),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn shape(row: &Row) -> String {
    match row.shape {
        Shape::Anything => "any value".into(),
        Shape::Text | Shape::Filled => "text".into(),
        Shape::Id => "id".into(),
        Shape::Name => "name".into(),
        Shape::Zone => "time zone".into(),
        Shape::Schedule => "[schedule](schedules.md)".into(),
        Shape::Truth => "`true`, `false`".into(),
        Shape::Duration | Shape::Span => "duration".into(),
        Shape::Grace => "duration, `auto`".into(),
        Shape::Instant => "date and time".into(),
        Shape::Size => "size".into(),
        Shape::Count { least, .. } => format!("number from {least}"),
        Shape::Word(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(", "),
        Shape::Command => "list of texts, or text".into(),
        Shape::Variables => "names with texts".into(),
        Shape::Texts => "list of texts".into(),
        Shape::Folder => "absolute path".into(),
        Shape::Section(_) => "section".into(),
        Shape::Named(_) => "named sections".into(),
        Shape::Entries(_) => "list of sections".into(),
    }
}

fn absent(row: &Row) -> String {
    match row.absent {
        Absent::Refused => "required".into(),
        Absent::Value(_) if !row.inside().is_empty() => String::new(),
        Absent::Value(text) => code(text),
        Absent::Config(path) => format!("{} of config.yaml", code(path)),
        Absent::Words(words) => words.into(),
    }
}
