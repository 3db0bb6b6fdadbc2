namespace Groundwork.Kernel.Schemas;

/// <summary>Which schemas these are.</summary>
public enum SchemaDialect
{
    /// <summary>JSON Schema, draft 2020-12, where a format is an annotation.</summary>
    Draft202012,

    /// <summary>
    /// OpenAPI 3.0: <c>nullable</c>, exclusive bounds as true or false, and a reference stands alone. Formats count,
    /// and schemas are those of requests: what is read-only is not sent.
    /// </summary>
    OpenApi30,

    /// <summary>OpenAPI 3.1: draft 2020-12, with formats and read-only members as in 3.0.</summary>
    OpenApi31,
}
