//! The files of an export while they are written.

use crate::dataset::{Output, OutputError};
use crate::digest::Digest;
use crate::export::{CardFile, Frame, Placed};

use super::plan::{Plan, SheetPlan};

/// The files of an export while they are written.
#[derive(Debug)]
pub(super) struct Outputs {
    sheets: Vec<Sheet>,
    in_frame: bool,
}

#[derive(Debug)]
struct Sheet {
    split: String,
    name: String,
    output: Output,
    hash: blake3::Hasher,
    rows: u64,
    /// The last row, where it is not known yet whether a comma follows.
    waiting: Option<Vec<u8>>,
}

impl Outputs {
    /// Begins every file.
    pub(super) fn begin(plan: &Plan, frame: Option<Frame>) -> Result<Self, OutputError> {
        let sheets = plan.sheets.iter().map(Sheet::begin);
        let mut outputs = Self {
            sheets: sheets.collect::<Result<_, _>>()?,
            in_frame: frame.is_some(),
        };
        if let Some(frame) = frame {
            for sheet in &mut outputs.sheets {
                sheet.line(frame.head.as_bytes())?;
            }
        }
        Ok(outputs)
    }

    /// Writes one row into its file.
    pub(super) fn write(&mut self, placed: Placed) -> Result<(), OutputError> {
        let sheet = &mut self.sheets[placed.split];
        sheet.rows += 1;
        if !self.in_frame {
            return sheet.line(&placed.row);
        }
        if let Some(mut row) = sheet.waiting.replace(placed.row) {
            row.push(b',');
            sheet.line(&row)?;
        }
        Ok(())
    }

    /// Ends every file and gives it its name.
    pub(super) fn commit(self, frame: Option<&Frame>) -> Result<Vec<CardFile>, OutputError> {
        let mut files = Vec::new();
        for mut sheet in self.sheets {
            if let Some(row) = sheet.waiting.take() {
                sheet.line(&row)?;
            }
            if let Some(frame) = frame {
                sheet.line(frame.tail.as_bytes())?;
            }
            sheet.output.commit()?.at_once()?;
            files.push(CardFile {
                split: sheet.split,
                path: sheet.name,
                rows: sheet.rows,
                digest: Digest::from_hash(sheet.hash.finalize()),
            });
        }
        Ok(files)
    }
}

impl Sheet {
    fn begin(plan: &SheetPlan) -> Result<Self, OutputError> {
        Ok(Self {
            split: plan.split.clone(),
            name: plan.name.clone(),
            output: Output::create(&plan.target)?,
            hash: blake3::Hasher::new(),
            rows: 0,
            waiting: None,
        })
    }

    fn line(&mut self, line: &[u8]) -> Result<(), OutputError> {
        self.hash.update(line);
        self.hash.update(b"\n");
        self.output.write_row(line)
    }
}
