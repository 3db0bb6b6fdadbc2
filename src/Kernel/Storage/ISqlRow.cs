namespace Groundwork.Kernel.Storage;

/// <summary>
/// The current row of a query; valid only inside the callback that receives it. Columns count from 0.
/// </summary>
public interface ISqlRow
{
    bool IsNull(int column);

    SqlType TypeOf(int column);

    long Int64(int column);

    string Text(int column);

    byte[] Blob(int column);
}

public static class SqlRowColumns
{
    public static string? TextOrNull(this ISqlRow row, int column) => row.IsNull(column) ? null : row.Text(column);

    public static long? Int64OrNull(this ISqlRow row, int column) => row.IsNull(column) ? null : row.Int64(column);

    public static byte[]? BlobOrNull(this ISqlRow row, int column) => row.IsNull(column) ? null : row.Blob(column);

    public static DateTimeOffset Time(this ISqlRow row, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(column));

    public static Guid Guid(this ISqlRow row, int column) => new(row.Blob(column), bigEndian: true);
}
