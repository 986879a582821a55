import Yams

/// Turns the parser's tree into ours and refuses what the file doesn't take: anchors, tags, merge keys, odd and doubled keys, depth.
struct YAMLConversion {
    let file: String
    let problems: ProblemList
    let mask: DuplicateKeyMask

    /// An empty document is an empty map.
    func root(_ node: Node?) -> YAMLNode? {
        guard let node else { return .map([], Place(file: file, line: 1, column: 1)) }
        return convert(node, depth: 0)
    }

    private func convert(_ node: Node, depth: Int) -> YAMLNode {
        let place = place(of: node)
        guard depth < YAMLDocument.depth else {
            problems.error(place, "nested more than \(YAMLDocument.depth) levels deep", fix: "nothing in this file is nested so deep")
            return .invalid(place)
        }
        guard node.anchor == nil else {
            problems.error(
                place, "anchors (&name) and aliases (*name) are not taken in this file", fix: "write the value out where it is meant")
            return .invalid(place)
        }
        guard isUntagged(node) else {
            problems.error(place, "tags (\(node.tag.description)) are not taken in this file", fix: "remove the tag")
            return .invalid(place)
        }
        switch node {
        case .scalar(let scalar): return .scalar(scalar.string, plain: scalar.style == .plain, place)
        case .sequence(let sequence): return .list(sequence.map { convert($0, depth: depth + 1) }, place)
        case .mapping(let mapping): return .map(entries(mapping, depth: depth), place)
        case .alias: return .invalid(place)
        }
    }

    private func entries(_ mapping: Node.Mapping, depth: Int) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var places: [String: Place] = [:]
        for (keyNode, valueNode) in mapping {
            let place = place(of: keyNode)
            guard let key = key(keyNode, at: place) else { continue }
            if let first = places[key] {
                problems.error(place, "`\(key)` is given twice, first on line \(first.line)", fix: "keep one of them")
                _ = convert(valueNode, depth: depth + 1)
                continue
            }
            places[key] = place
            entries.append(YAMLEntry(key: key, place: place, value: convert(valueNode, depth: depth + 1)))
        }
        return entries
    }

    private func key(_ node: Node, at place: Place) -> String? {
        guard case .scalar(let scalar) = node else {
            problems.error(place, "a key must be a plain word", fix: "write `key: value`")
            return nil
        }
        if scalar.anchor != nil {
            problems.error(place, "anchors (&name) and aliases (*name) are not taken in this file", fix: "write the key out")
        }
        let key = mask.original(scalar.string, line: place.line, column: place.column)
        guard key != "<<" || scalar.style != .plain else {
            problems.error(place, "merge keys (<<) are not taken in this file", fix: "write the keys out where they are meant")
            return nil
        }
        return key
    }

    private func place(of node: Node) -> Place {
        Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    /// Whether the document gives the node no tag; quoted scalars are given the string tag by the parser itself.
    ///
    /// Not by `node.tag`, which answers what the parser would resolve.
    private func isUntagged(_ node: Node) -> Bool {
        switch node {
        case .scalar(let scalar):
            scalar.tag == .implicit || scalar.style != .plain && scalar.tag.description == Tag.Name.str.rawValue
        case .sequence(let sequence): sequence.tag == .implicit
        case .mapping(let mapping): mapping.tag == .implicit
        case .alias: true
        }
    }
}
