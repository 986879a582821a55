import Policy

/// The API's OpenAPI 3.1 document, made from the table of endpoints: also `config/admin-api.json`.
package enum AdminDocument {
    package static let text = value.text() + "\n"

    private static var value: SchemaValue {
        .object([
            ("openapi", .string("3.1.0")),
            (
                "info",
                .object([
                    ("title", .string("tenantgate's admin API")), ("version", .string(Versions.tenantgate)),
                    (
                        "description",
                        .string(
                            "Who is suspended, and how the gateway stands. Errors are JSON: code, message, details. Ids are compared in their directory's format."
                        )
                    ),
                ])
            ),
            ("servers", .array([.object([("url", .string("/"))])])),
            ("security", .array([.object([("token", .array([]))])])),
            ("paths", .object(paths)),
            (
                "components",
                .object([
                    ("schemas", .object(AdminSchemas.all)),
                    (
                        "securitySchemes",
                        .object([("token", .object([("type", .string("http")), ("scheme", .string("bearer"))]))])
                    ),
                ])
            ),
        ])
    }

    private static var paths: [(String, SchemaValue)] {
        var names: [String] = []
        for endpoint in AdminAPI.endpoints where !names.contains(endpoint.path) { names.append(endpoint.path) }
        return names.map { path in
            let methods = AdminAPI.endpoints.filter { $0.path == path }
            return (path, .object(methods.map { ($0.method.lowercased(), operation($0)) }))
        }
    }

    private static func operation(_ endpoint: AdminEndpoint) -> SchemaValue {
        var members: [(String, SchemaValue)] = [
            ("summary", .string(endpoint.summary)), ("description", .string("Needs a token with the role \(endpoint.role.rawValue).")),
        ]
        if !endpoint.parameters.isEmpty { members.append(("parameters", .array(endpoint.parameters.map(parameter)))) }
        if let type = endpoint.body.type {
            let schema: SchemaValue =
                switch endpoint.body {
                case .json(let name): reference(name)
                default: .object([("type", .string("string"))])
                }
            members.append(
                ("requestBody", .object([("required", .boolean(true)), ("content", content(type, schema))])))
        }
        members.append(("responses", .object(answers(endpoint))))
        return .object(members)
    }

    private static func parameter(_ parameter: AdminEndpoint.Parameter) -> SchemaValue {
        .object([
            ("name", .string(parameter.name)), ("in", .string("query")), ("description", .string(parameter.meaning)),
            ("schema", parameter.schema),
        ])
    }

    private static func answers(_ endpoint: AdminEndpoint) -> [(String, SchemaValue)] {
        let good = endpoint.answers.map { answer -> (String, SchemaValue) in
            var types: [(String, SchemaValue)] = []
            if !answer.isLines { types.append(("application/json", .object([("schema", reference(answer.schema))]))) }
            if answer.isLines || endpoint.follows {
                types.append((AdminAnswer.lines, .object([("schema", .object([("type", .string("string"))]))])))
            }
            return (
                String(answer.status),
                .object([("description", .string(answer.meaning)), ("content", .object(types))])
            )
        }
        var own: [AdminRefusal] = AdminEndpoint.common + endpoint.refusals
        own.append(.requestTimeout)
        if endpoint.body != .none { own.append(.unsupportedMediaType) }
        if endpoint.role == .operator { own.append(.outcomeUnknown) }
        let statuses = Set(own.map(\.status)).sorted()
        return good
            + statuses.map { status in
                let codes = own.filter { $0.status == status }.map(\.rawValue).joined(separator: ", ")
                return (
                    String(status),
                    .object([("description", .string(codes)), ("content", content("application/json", reference("Error")))])
                )
            }
    }

    private static func content(_ type: String, _ schema: SchemaValue) -> SchemaValue {
        .object([(type, .object([("schema", schema)]))])
    }

    private static func reference(_ name: String) -> SchemaValue { .object([("$ref", .string("#/components/schemas/\(name)"))]) }
}
