namespace Groundwork.Kernel.Storage;

/// <summary>
/// One step of a module's schema. Steps run once each, in order of <paramref name="Number"/> within the module, under
/// the store lock, before anything else touches the tables.
/// </summary>
/// <remarks>
/// Words in braces stand for what the engines call differently:
/// <list type="table">
/// <item><term><c>{blob}</c></term><description>the byte type</description></item>
/// <item><term><c>{key}</c></term><description>a text type that compares bytewise</description></item>
/// <item><term><c>{id}</c></term><description>a 64-bit integer that is alone the primary key, as in
/// <c>revision {id} PRIMARY KEY</c>; on SQLite the table's own order, so that it costs no second
/// tree</description></item>
/// <item><term><c>{clustered}</c></term><description>after the closing bracket of a table with another or a composite
/// primary key: SQLite keeps the rows in the key's order and no second tree; for rows of less than about 1
/// KB</description></item>
/// <item><term><c>{unlogged}</c></term><description>between CREATE and TABLE: a crash may lose the
/// rows</description></item>
/// </list>
/// Tables have no foreign keys: a restore loads them in any order.
/// </remarks>
/// <param name="Module">The owner; table names start with it.</param>
/// <param name="Number">1, 2, 3, … without gaps.</param>
/// <param name="Sql">One statement per entry.</param>
public sealed record Migration(string Module, int Number, params IReadOnlyList<string> Sql);
