namespace Groundwork.Kernel.Storage;

/// <summary>What the two engines write differently in a schema.</summary>
internal sealed record SqlDialect(
    string Name, string Blob, string Key, string Id, string Clustered, string Unlogged, string Tables, string Columns)
{
    public static SqlDialect Sqlite { get; } = new(
        Name: "sqlite",
        Blob: "BLOB",
        Key: "TEXT",
        Id: "INTEGER", // The one spelling that makes the key the table's own order.
        Clustered: "WITHOUT ROWID",
        Unlogged: "",
        Tables: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
        Columns: "SELECT name FROM pragma_table_info($1) ORDER BY cid");

    public static SqlDialect Postgres { get; } = new(
        Name: "postgresql",
        Blob: "BYTEA",
        Key: "TEXT COLLATE \"C\"",
        Id: "BIGINT",
        Clustered: "",
        Unlogged: "UNLOGGED",
        Tables: """
            SELECT relname::text FROM pg_class
            WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname::text COLLATE "C"
            """,
        Columns: """
            SELECT attname::text FROM pg_attribute
            WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """);

    /// <summary>A name as both engines quote it.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Replaces the words in braces that <see cref="Migration"/> describes.</summary>
    public string Translate(string sql) => sql.Contains('{', StringComparison.Ordinal)
        ? sql.Replace("{blob}", Blob, StringComparison.Ordinal)
            .Replace("{key}", Key, StringComparison.Ordinal)
            .Replace("{id}", Id, StringComparison.Ordinal)
            .Replace("{clustered}", Clustered, StringComparison.Ordinal)
            .Replace("{unlogged}", Unlogged, StringComparison.Ordinal)
        : sql;
}
