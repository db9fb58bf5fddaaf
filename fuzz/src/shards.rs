//! Shards: in whatever order they come, and however often, their file is that of one encoder; what is lost or damaged on
//! the way is an error.

use std::collections::BTreeMap;

use cogsmith::distributed::assemble_to_vec;
use cogsmith::distributed::{Assembler, Mosaic, ShardOutput, ShardPixels, ShardRecord, encode_shard};
use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
use cogsmith::{CogPlan, ErrorKind, Executor, GeoRef, Metadata};

use super::Choices;
use super::image::{Image, Scale, geo, metadata, options, other_codecs, spec};
use super::window::Part;

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    let spec = spec(choices, Scale::Small);
    let mut options = options(choices, Scale::Small, spec.bands);
    other_codecs(choices, &spec, &mut options);
    let (geo, metadata) =
        if choices.flag() { (geo(choices), metadata(choices)) } else { (GeoRef::default(), Metadata::default()) };
    let mut side = || choices.pick(&[16, 32, 48, 1, 64, 17]);
    let shape = ShardOptions::new().width(side()).height(side()).levels(choices.pick(&[None, Some(1), Some(2)]));
    let seed = choices.u32();
    let fault = choices.byte();
    let Ok(plan) = CogPlan::new(&spec, &geo, &metadata, &options) else { return };
    let plan = plan.with_predictor_by_type();
    let shards = ShardPlan::new(plan.clone(), &shape).expect("shards of a plan");
    let mut image = Image::new(spec, choices);
    if !image.is_decided(&plan, options.mask) {
        return;
    }
    let whole = image.encode(&plan, 1);

    let shards = ShardPlan::from_bytes(&shards.to_bytes()).expect("a plan travels");
    let random = &mut Random(seed.into());
    let outputs = encode_all(&image, &shards, random);
    let file = put_together(&shards, &outputs, random).expect("all shards are there");
    assert!(file == whole, "{shape:?}: the file of shards is another");
    damaged(&shards, &outputs, &whole, fault, random);
}

/// Numbers without order.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            let other = self.below(index + 1);
            items.swap(index, other);
        }
    }
}

/// Encodes all shards, each tier in an order of its own; some come twice, and pixels travel as bytes.
fn encode_all(image: &Image, shards: &ShardPlan, random: &mut Random) -> Vec<ShardOutput> {
    let mut outputs = Vec::new();
    let mut pixels: Vec<ShardPixels> = Vec::new();
    for tier in 0..shards.tiers() {
        let mut ids: Vec<ShardId> = shards.shards(tier).collect();
        random.shuffle(&mut ids);
        ids.extend_from_within(..random.below(3).min(ids.len()));
        let mut given = Vec::new();
        for id in ids {
            let executor = Executor::serial();
            let output = if tier == 0 {
                let window = shards.shard(id).expect("a shard of the plan").source();
                encode_shard(shards, id, &mut Part::new(&image.spec, &image.pixels, &image.mask, window), &executor)
            } else {
                lost(shards, id, &pixels, random);
                let mut mosaic = Mosaic::new(shards, id, &pixels).expect("all pixels are there");
                encode_shard(shards, id, &mut mosaic, &executor)
            };
            let output = output.expect("a shard can be encoded");
            if let Some(pixels) = &output.pixels {
                given.push(ShardPixels::from_bytes(&pixels.to_bytes()).expect("pixels travel"));
            }
            outputs.push(output);
        }
        pixels = given;
        random.shuffle(&mut pixels);
    }
    random.shuffle(&mut outputs);
    outputs
}

/// Without the pixels of a shard that it needs, there is no window.
fn lost(shards: &ShardPlan, id: ShardId, pixels: &[ShardPixels], random: &mut Random) {
    let inputs = shards.inputs(id).expect("a shard of the plan");
    if inputs.is_empty() {
        return;
    }
    let lost = inputs[random.below(inputs.len())];
    let left: Vec<_> = pixels.iter().filter(|pixels| pixels.id() != lost).cloned().collect();
    let error = Mosaic::new(shards, id, &left).expect_err("pixels are missing");
    assert!(matches!(error.kind(), ErrorKind::Shards { .. }), "{error}");
}

/// A file from the outputs of all shards; records come to two machines, and are merged.
fn put_together(shards: &ShardPlan, outputs: &[ShardOutput], random: &mut Random) -> cogsmith::Result<Vec<u8>> {
    let mut halves = [Assembler::new(shards), Assembler::new(shards)];
    for output in outputs {
        let record = ShardRecord::from_bytes(&output.record.to_bytes())?;
        let half = &mut halves[random.below(2)];
        let is_new = half.missing().any(|id| id == record.id());
        assert_eq!(half.add(record)?, is_new);
    }
    let [first, second] = halves;
    let mut all = Assembler::from_bytes(shards, &second.to_bytes())?;
    all.merge(first)?;
    assemble_to_vec(&all.finish()?, &mut fragments(outputs))
}

fn fragments(outputs: &[ShardOutput]) -> BTreeMap<ShardId, Vec<u8>> {
    outputs.iter().map(|output| (output.record.id(), output.fragment.clone())).collect()
}

/// One fault of many kinds: it is an error, or changes nothing.
fn damaged(shards: &ShardPlan, outputs: &[ShardOutput], whole: &[u8], fault: u8, random: &mut Random) {
    let chosen = &outputs[random.below(outputs.len())];
    let id = chosen.record.id();
    // A shard that is lost: all that came of it, however often.
    let rest: Vec<_> = outputs.iter().filter(|output| output.record.id() != id).cloned().collect();
    let error = put_together(shards, &rest, random).expect_err("a shard is missing");
    assert!(matches!(error.kind(), ErrorKind::Shards { .. }), "{error}");

    // A fragment that is changed, cut off, or longer.
    let mut assembler = Assembler::new(shards);
    for output in outputs {
        assembler.add(output.record.clone()).expect("a record of the plan");
    }
    let assembly = assembler.finish().expect("all records");
    let mut held = fragments(outputs);
    let fragment = held.get_mut(&id).expect("its fragment");
    let changes = !fragment.is_empty();
    match fault % 3 {
        0 if changes => {
            let at = random.below(fragment.len());
            fragment[at] ^= 1 << random.below(8);
        }
        1 if changes => fragment.truncate(random.below(fragment.len())),
        _ => fragment.push(7),
    }
    match assemble_to_vec(&assembly, &mut held) {
        Ok(file) => assert!(file == whole && (fault % 3 == 2 || !changes), "a damaged fragment is in the file"),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Corrupt { .. } | ErrorKind::Shards { .. }), "{error}"),
    }

    // Messages: a changed bit or a truncation is noticed; with a correct checksum, no content causes a panic.
    let mut messages =
        vec![(shards.to_bytes(), 0u8), (chosen.record.to_bytes(), 1), (assembler_bytes(shards, outputs), 2)];
    messages.extend(outputs.iter().find_map(|output| output.pixels.as_ref()).map(|pixels| (pixels.to_bytes(), 3)));
    messages.push((shards.plan().to_bytes(), 4));
    for (bytes, kind) in messages {
        let mut changed = bytes.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(changed.len());
            match random.below(4) {
                0 => changed.truncate(at.max(1)),
                1 => changed[at] = changed[at].wrapping_add(1 + random.below(255) as u8),
                2 => changed[at] ^= 1 << random.below(8),
                _ => changed.push(random.below(256) as u8),
            }
        }
        if changed == bytes {
            continue;
        }
        assert!(take(shards, &changed, kind, outputs).is_err(), "a damaged message is taken");
        // The signature, the kind and the version stay mostly; the last four bytes are the checksum.
        changed.truncate(changed.len().saturating_sub(4));
        let mut sum = flate2::Crc::new();
        sum.update(&changed);
        changed.extend(sum.sum().to_le_bytes());
        let _ = take(shards, &changed, kind, outputs);
    }
}

fn assembler_bytes(shards: &ShardPlan, outputs: &[ShardOutput]) -> Vec<u8> {
    let mut assembler = Assembler::new(shards);
    for output in outputs {
        assembler.add(output.record.clone()).expect("a record of the plan");
    }
    assembler.to_bytes()
}

/// Processing of an incoming message.
fn take(shards: &ShardPlan, bytes: &[u8], kind: u8, outputs: &[ShardOutput]) -> cogsmith::Result<()> {
    match kind {
        0 => ShardPlan::from_bytes(bytes).map(drop),
        1 => {
            let record = ShardRecord::from_bytes(bytes)?;
            let mut assembler = Assembler::new(shards);
            let id = record.id();
            assembler.add(record)?;
            for output in outputs.iter().filter(|output| output.record.id() != id) {
                assembler.add(output.record.clone())?;
            }
            assemble_to_vec(&assembler.finish()?, &mut fragments(outputs)).map(drop)
        }
        2 => {
            let assembler = Assembler::from_bytes(shards, bytes)?;
            assemble_to_vec(&assembler.finish()?, &mut fragments(outputs)).map(drop)
        }
        3 => {
            let pixels = [ShardPixels::from_bytes(bytes)?];
            for id in shards.shards(pixels[0].id().tier.saturating_add(1)) {
                let mut mosaic = Mosaic::new(shards, id, &pixels)?;
                encode_shard(shards, id, &mut mosaic, &Executor::serial())?;
            }
            Ok(())
        }
        _ => CogPlan::from_bytes(bytes).map(drop),
    }
}
