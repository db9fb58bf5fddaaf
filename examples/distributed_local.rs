//! Makes a file from shards, with threads that share only bytes and a folder, like machines of a cluster.
//!
//! `cargo run --example distributed_local [-- OUTPUT.tif]`; without OUTPUT, the file goes to the system's temporary
//! folder and is removed again.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cogsmith::Rectangle;
use cogsmith::distributed::{Assembler, Mosaic, ShardPixels, ShardRecord, encode_shard};
use cogsmith::distributed::{FragmentFolder, assemble_to_file};
use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
use cogsmith::{
    CogPlan, DataType, EncodeOptions, Executor, FileOptions, GeoRef, ImageSpec, Metadata, Predictor, SliceSource,
};

/// Columns and rows of the image.
const SIZE: (u32, u32) = (3001, 2203);
const WORKERS: usize = 3;

/// The source of a worker: any part of the image.
fn read(window: &Rectangle) -> Vec<u16> {
    let row = |row: u32| window.columns.clone().map(move |column| ((row * row + 3 * column) / 64 % 4096) as u16);
    window.rows.clone().flat_map(row).collect()
}

/// The job of a worker: bytes in, bytes out, and a fragment in the folder.
fn work(plan: &[u8], id: ShardId, inputs: &[Vec<u8>], folder: &Path) -> cogsmith::Result<(Vec<u8>, Option<Vec<u8>>)> {
    let shards = ShardPlan::from_bytes(plan)?;
    let executor = Executor::serial();
    let output = if id.tier == 0 {
        let window = shards.shard(id)?.source();
        let pixels = read(&window);
        let spec = shards.plan().spec().clone().width(window.width()).height(window.height());
        encode_shard(&shards, id, &mut SliceSource::new(spec, &pixels)?, &executor)?
    } else {
        let pixels = inputs.iter().map(|bytes| ShardPixels::from_bytes(bytes)).collect::<cogsmith::Result<Vec<_>>>()?;
        encode_shard(&shards, id, &mut Mosaic::new(&shards, id, &pixels)?, &executor)?
    };
    FragmentFolder::new(folder).store(&output)?;
    Ok((output.record.to_bytes(), output.pixels.map(|pixels| pixels.to_bytes())))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = ImageSpec::new(SIZE.0, SIZE.1, 1, DataType::U16);
    let options = EncodeOptions::new().predictor(Predictor::Horizontal);
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options)?;
    let shards = ShardPlan::new(plan, &ShardOptions::new().width(1024).height(1024))?;
    let message = shards.to_bytes();

    let asked_for = std::env::args().nth(1).map(PathBuf::from);
    let name = format!("cogsmith-distributed-{}", std::process::id());
    let path = asked_for.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("{name}.tif")));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder)?;

    let mut assembler = Assembler::new(&shards);
    let mut pixels: Vec<(ShardId, Vec<u8>)> = Vec::new();
    for tier in 0..shards.tiers() {
        let waiting: Mutex<Vec<ShardId>> = Mutex::new(shards.shards(tier).collect());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let worker = || {
            let mut done = Vec::new();
            while let Some(id) = next() {
                let needed = shards.inputs(id)?;
                let inputs = pixels.iter().filter(|(id, _)| needed.contains(id)).map(|(_, bytes)| bytes.clone());
                done.push((id, work(&message, id, &inputs.collect::<Vec<_>>(), &folder)?));
            }
            Ok::<_, cogsmith::Error>(done)
        };
        let done = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().map(|worker| worker.join().map_err(|_| "a worker failed")).collect::<Vec<_>>()
        });
        let mut given = Vec::new();
        for of_worker in done {
            for (id, (record, result)) in of_worker?? {
                assembler.add(ShardRecord::from_bytes(&record)?)?;
                given.extend(result.map(|bytes| (id, bytes)));
            }
        }
        pixels = given;
    }

    let mut fragments = FragmentFolder::new(&folder);
    let overwrite = FileOptions::new().overwrite(true);
    let summary = assemble_to_file(&assembler.finish()?, &mut fragments, &path, &overwrite)?;
    fragments.remove()?;
    let count = shards.all_shards().count();
    println!("{}: {count} shards, {} levels, {} bytes", path.display(), summary.levels.len(), summary.bytes);
    if asked_for.is_none() {
        std::fs::remove_file(&path)?;
    }
    Ok(())
}
