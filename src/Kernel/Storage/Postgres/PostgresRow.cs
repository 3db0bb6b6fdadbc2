using Npgsql;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>The row that a reader stands on.</summary>
internal sealed class PostgresRow(NpgsqlDataReader reader) : ISqlRow
{
    // Object identifiers of the built-in types; they never change.
    private const uint Boolean = 16;
    private const uint Bytes = 17;
    private const uint Int8 = 20;
    private const uint Int2 = 21;
    private const uint Int4 = 23;
    private const uint Numeric = 1700;

    public bool IsNull(int column) => reader.IsDBNull(column);

    public SqlType TypeOf(int column) => reader.IsDBNull(column)
        ? SqlType.Null
        : reader.GetDataTypeOID(column) switch
        {
            Int8 or Int4 or Int2 or Boolean or Numeric => SqlType.Int64,
            Bytes => SqlType.Blob,
            _ => SqlType.Text,
        };

    /// <summary>
    /// SQLite has one kind of number, so comparisons (bool) and sums (numeric) are read as one here too.
    /// </summary>
    public long Int64(int column) => reader.GetDataTypeOID(column) switch
    {
        Boolean => reader.GetBoolean(column) ? 1 : 0,
        Numeric => (long)reader.GetDecimal(column),
        _ => reader.GetInt64(column),
    };

    public string Text(int column) => reader.GetString(column);

    public byte[] Blob(int column) => reader.GetFieldValue<byte[]>(column);
}
