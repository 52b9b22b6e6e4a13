// Package wallog is a log of checked records on tidwall/wal. It owns the files of the log: framing, checksums, the state of the tail after a
// crash, what happens after a failed write, reading records back, and removing whole segments at the front. It knows nothing of what the
// records mean.
//
// On disk a segment is a file named after the sequence number of its first record, 20 digits, as tidwall/wal names them. A record is
//
//	uvarint   length of all that follows (tidwall/wal's own entry header)
//	4 bytes   CRC-32C (Castagnoli) of all that follows
//	4 bytes   length of the payload
//	8 bytes   sequence number: that of the record before plus one, through all segments
//	4 bytes   distance to the last record that was known to be synced when this one was written
//	1 byte    type
//	          payload
//
// in little-endian order. The checksum begins with a salt that the directory's name carries (log-1a2b3c4d), so that no client can publish what
// looks like a record to a search for the next good one behind a bad one. The distance is what tells a torn tail from damage: when a record
// behind a bad one proves that the bad one had been synced, then something destroyed it afterwards, and the log is damaged; without such a
// witness it never was durable, and is cut off.
//
// Beside the segments lie, for those that have been closed for long, their digests: every record cut to what the index needs. A digest is a
// checkpoint of one segment: opening reads it instead of the segment. It is a cache with a checksum, and may be deleted.
//
// What of tidwall/wal 1.2.1 is used: opening, WriteBatch, Sync, Close and its cycling of segments, from one goroutine. What is not:
//
//   - Read: it loads whole segments and is not safe for concurrent use. Records are read with pread at the place that writing told.
//   - TruncateFront and TruncateBack: both rewrite a whole segment even at its border. Whole files are unlinked at the front, and the tail is cut
//     with truncate while the log is closed.
//   - Its handling of errors: a failed or short write leaves its memory and the file in disagreement. After any error the log is broken until
//     Recover has closed it, cut the tail back and opened it again.
//
// tidwall/wal calls the operating system itself, so that no file layer can be put under it. Everything else goes through FS, and tidwall/wal
// through the four methods of Writer: package faultfs implements both over a real directory, and derives the writes and syncs that happened
// from what the calls did to the files. A failed write is the true effect of the call, cut short on disk, with an error returned.
package wallog
