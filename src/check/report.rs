//! Results of the checks: findings, each with its rule and location, and the verdict.

use std::collections::BTreeMap;
use std::fmt;

use super::rules::{Class, RULES, Rule};

/// Findings kept per rule; others are only counted.
const MOST_PER_RULE: u64 = 20;

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing, not a fault.
    Note,
    /// A recommendation, or a requirement of one class, is not met, but readers get the pixels. Fails strict
    /// validation.
    Warning,
    /// The file is not a valid Cloud Optimized GeoTIFF.
    Error,
}

impl Severity {
    /// Returns the name, such as `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Location of a finding; parts that do not apply are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Place {
    /// Index of the directory in the chain, counted from 0; SubIFDs of the first directory come right after it.
    pub directory: Option<usize>,
    /// Index of the tile or strip in the arrays of the directory, counted from 0.
    pub tile: Option<u64>,
    /// Offset in the file, in bytes.
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

/// A violation of a rule.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The violated rule, with its ID, severity, source, and remedy.
    pub rule: &'static Rule,
    /// Location.
    pub place: Place,
    /// Details.
    pub message: String,
}

/// Findings, and the extent of the check.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// Findings in the order in which they were made, at most 20 per rule.
    pub findings: Vec<Finding>,
    /// Number of violations of each rule, by its ID, including findings that are not kept.
    pub counts: BTreeMap<&'static str, u64>,
    /// Number of directories in the file.
    pub directories: usize,
    /// Number of tiles or strips in all directories, including masks.
    pub tiles: u64,
    /// Number of tiles that were decoded.
    pub tiles_decoded: u64,
    /// Number of decodings. A tile is decoded at most twice; for the comparison, only tiles of full resolution are
    /// decoded again, if an overview does not fit the previous level.
    pub decodes: u64,
    /// Number of overview cells that were compared with the previous level, or with full resolution.
    pub cells_compared: u64,
    /// True if a file was checked to the end.
    #[cfg(feature = "serde")]
    pub(crate) checked: bool,
}

impl Report {
    /// Returns the number of findings of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        let rules = RULES.iter().filter(|rule| rule.severity == severity);
        rules.filter_map(|rule| self.counts.get(rule.id)).sum()
    }

    /// Returns true if the file is a valid Cloud Optimized GeoTIFF: no errors, and if `strict`, no warnings.
    #[must_use]
    pub fn is_valid(&self, strict: bool) -> bool {
        self.count(Severity::Error) == 0 && !(strict && self.count(Severity::Warning) > 0)
    }

    /// Returns true if the file meets all requirements of a class and of the classes that it depends on: no errors or
    /// warnings.
    #[must_use]
    pub fn conforms(&self, class: Class) -> bool {
        let mut broken = RULES.iter().filter(|rule| rule.severity > Severity::Note && rule.class == class);
        !broken.any(|rule| self.counts.contains_key(rule.id)) && class.needs().iter().all(|class| self.conforms(*class))
    }

    /// Adds a finding; `message` is formatted only if the finding is kept.
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
