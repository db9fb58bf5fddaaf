//! What the checks say: findings, each by a rule, at a place; and the verdict that follows.

use std::collections::BTreeMap;
use std::fmt;

use super::rules::{Class, RULES, Rule};

/// As many findings of one rule are kept; the others are counted.
const MOST_PER_RULE: u64 = 20;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; no fault.
    Note,
    /// A recommendation or a requirement of one class is missed; readers get the pixels. Fails strict validation.
    Warning,
    /// The file is no valid Cloud Optimized GeoTIFF.
    Error,
}

impl Severity {
    /// The name, such as `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where something was found; what does not apply is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Place {
    /// Number of the directory in the chain, first = 0; SubIFDs of the first one are counted behind it.
    pub directory: Option<usize>,
    /// Number of the tile or strip in the arrays of the directory, first = 0.
    pub tile: Option<u64>,
    /// Offset in the file.
    pub byte: Option<u64>,
}

impl Place {
    pub(super) const FILE: Self = Self { directory: None, tile: None, byte: None };

    pub(super) const fn byte(byte: u64) -> Self {
        Self { byte: Some(byte), ..Self::FILE }
    }

    pub(super) const fn directory(directory: usize) -> Self {
        Self { directory: Some(directory), ..Self::FILE }
    }

    pub(super) const fn tile(directory: usize, tile: u64) -> Self {
        Self { directory: Some(directory), tile: Some(tile), byte: None }
    }

    pub(super) const fn at(self, byte: u64) -> Self {
        Self { byte: Some(byte), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.directory.map(|number| format!("directory {number}")),
            self.tile.map(|number| format!("tile {number}")),
            self.byte.map(|offset| format!("byte {offset}")),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "file" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// One thing that is wrong, or worth knowing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken: its id, severity, source and what to do.
    pub rule: &'static Rule,
    /// Where.
    pub place: Place,
    /// What exactly.
    pub message: String,
}

/// What was found, and how much was looked at.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// All findings in the order in which they were made; at most 20 of each rule.
    pub findings: Vec<Finding>,
    /// How often each rule was broken, by its id; counts those findings too that are not kept.
    pub counts: BTreeMap<&'static str, u64>,
    /// Directories in the file.
    pub directories: usize,
    /// Tiles (or strips) of all directories, masks included.
    pub tiles: u64,
    /// Tiles that were decoded.
    pub tiles_decoded: u64,
    /// How often a tile was decoded: each at most twice, and those of full resolution alone a second time, where an
    /// overview does not fit the level before it.
    pub decodes: u64,
    /// Cells of overviews that were compared with the level before, or with full resolution.
    pub cells_compared: u64,
}

impl Report {
    /// How many findings there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        let rules = RULES.iter().filter(|rule| rule.severity == severity);
        rules.filter_map(|rule| self.counts.get(rule.id)).sum()
    }

    /// Whether the file is a valid Cloud Optimized GeoTIFF: no errors, and if `strict` no warnings either.
    #[must_use]
    pub fn is_valid(&self, strict: bool) -> bool {
        self.count(Severity::Error) == 0 && !(strict && self.count(Severity::Warning) > 0)
    }

    /// Whether the file meets all requirements of a class: no error or warning by any of its rules.
    #[must_use]
    pub fn conforms(&self, class: Class) -> bool {
        let mut broken = RULES.iter().filter(|rule| rule.severity > Severity::Note && rule.class == class);
        !broken.any(|rule| self.counts.contains_key(rule.id)) && class.needs().iter().all(|class| self.conforms(*class))
    }

    /// Adds a finding; `message` is made into text only where it is kept.
    pub(super) fn add(&mut self, rule: &'static Rule, place: Place, message: fmt::Arguments<'_>) {
        let count = self.counts.entry(rule.id).or_default();
        *count += 1;
        if *count <= MOST_PER_RULE {
            self.findings.push(Finding { rule, place, message: message.to_string() });
        }
    }

    pub(super) fn has(&self, rule: &'static Rule) -> bool {
        self.counts.contains_key(rule.id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules;
    use super::*;

    #[test]
    fn findings_of_one_rule_are_bounded_and_counted() {
        let mut report = Report::default();
        for tile in 0..1000 {
            report.add(&rules::TILE_BOUNDS, Place::tile(0, tile), format_args!("tile {tile}"));
        }
        assert_eq!(report.findings.len(), 20);
        assert_eq!(report.count(Severity::Error), 1000);
        assert!(!report.is_valid(false));
    }

    #[test]
    fn warnings_fail_strict_validation_alone() {
        let mut report = Report::default();
        report.add(&rules::OVERVIEWS_MISSING, Place::FILE, format_args!("none"));
        assert!(report.is_valid(false) && !report.is_valid(true));
        assert_eq!(Place::tile(2, 7).at(9).to_string(), "directory 2, tile 7, byte 9");
        assert_eq!(Place::FILE.to_string(), "file");
    }
}
