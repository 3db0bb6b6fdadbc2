using System.Globalization;
using SQLitePCL;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>A prepared statement, which is also the row that it stands on.</summary>
internal sealed class SqliteStatement : ISqlRow
{
    public SqliteStatement(sqlite3_stmt handle, string sql)
    {
        Handle = handle;
        IsReadOnly = raw.sqlite3_stmt_readonly(handle) != 0;
        ParameterNumbers = new int[raw.sqlite3_bind_parameter_count(handle) + 1];
        for (var index = 1; index < ParameterNumbers.Length; index++)
        {
            // To SQLite $2 is a name, numbered in order of appearance; to us it is the second parameter.
            var name = raw.sqlite3_bind_parameter_name(handle, index).utf8_to_string();
            if (name is not ['$', .. var digits]
                || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ParameterNumbers[index])
                || ParameterNumbers[index] == 0)
            {
                throw new ArgumentException($"A parameter is written $1, $2, …, not {name}: {sql}", nameof(sql));
            }
        }
    }

    public sqlite3_stmt Handle { get; }

    public bool IsReadOnly { get; }

    /// <summary>By SQLite's parameter index, from 1: the number after the dollar.</summary>
    public int[] ParameterNumbers { get; }

    public bool IsNull(int column) => raw.sqlite3_column_type(Handle, column) == raw.SQLITE_NULL;

    public long Int64(int column) => raw.sqlite3_column_int64(Handle, column);

    public string Text(int column) => raw.sqlite3_column_text(Handle, column).utf8_to_string() ?? "";

    public byte[] Blob(int column) => raw.sqlite3_column_blob(Handle, column).ToArray();

    public SqlType TypeOf(int column) => raw.sqlite3_column_type(Handle, column) switch
    {
        raw.SQLITE_NULL => SqlType.Null,
        raw.SQLITE_INTEGER => SqlType.Int64,
        raw.SQLITE_BLOB => SqlType.Blob,
        _ => SqlType.Text,
    };

    /// <summary>Ends the run, so that the statement holds no lock, and keeps it for the next.</summary>
    public void Reset() => raw.sqlite3_reset(Handle);
}
