import Synchronization

/// An array that grows without moving: chunk n holds twice as many elements as chunk n-1. Elements are words that any thread may read.
///
/// Memory is given back only with the whole array, so that a reader with an old position reads something old, never something foreign.
/// The unsafe pointers are here because an `Array` of atomics can neither grow nor be shared.
@safe struct GrowingArray: ~Copyable, @unchecked Sendable {
    private static let firstChunk = 1024
    private static let chunkCount = 21

    /// Elements that fit: about 2 billion.
    static let capacity = firstChunk * ((1 << chunkCount) - 1)

    private let wordsPerElement: Int
    private let chunks: UnsafeMutablePointer<Atomic<UnsafeMutablePointer<Atomic<UInt64>>?>>

    init(wordsPerElement: Int) {
        self.wordsPerElement = wordsPerElement
        unsafe chunks = .allocate(capacity: Self.chunkCount)
        for chunk in 0..<Self.chunkCount { unsafe (chunks + chunk).initialize(to: Atomic(nil)) }
    }

    deinit {
        for chunk in 0..<Self.chunkCount { unsafe chunks[chunk].load(ordering: .relaxed)?.deallocate() }
        unsafe chunks.deallocate()
    }

    /// One word of an element that exists or existed once.
    func load(_ index: Int, word: Int = 0) -> UInt64 {
        let (chunk, offset) = Self.place(index)
        let base = unsafe chunks[chunk].load(ordering: .acquiring)
        guard let base = unsafe base else { return 0 }
        return unsafe base[offset * wordsPerElement + word].load(ordering: .relaxed)
    }

    /// The writer's store; the chunk is made on its first use.
    func store(_ value: UInt64, at index: Int, word: Int = 0) {
        let (chunk, offset) = Self.place(index)
        let base = unsafe chunks[chunk].load(ordering: .relaxed) ?? makeChunk(chunk)
        unsafe base[offset * wordsPerElement + word].store(value, ordering: .relaxed)
    }

    private func makeChunk(_ chunk: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let words = (Self.firstChunk << chunk) * wordsPerElement
        let base = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: words)
        for word in 0..<words { unsafe (base + word).initialize(to: Atomic(0)) }
        unsafe chunks[chunk].store(base, ordering: .releasing)
        return unsafe base
    }

    private static func place(_ index: Int) -> (chunk: Int, offset: Int) {
        let bucket = index / firstChunk + 1
        let chunk = Int.bitWidth - 1 - bucket.leadingZeroBitCount
        return (chunk, index - firstChunk * ((1 << chunk) - 1))
    }
}
