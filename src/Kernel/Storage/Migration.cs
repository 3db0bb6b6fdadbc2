namespace Groundwork.Kernel.Storage;

/// <summary>
/// One step of a module's schema. Steps run once each, in order of <paramref name="Number"/> within the module, under the
/// store lock, before anything else touches the tables. <c>{blob}</c> and <c>{key}</c> in the SQL stand for the engine's
/// byte type and for a text type that compares bytewise.
/// </summary>
/// <param name="Module">The owner; table names start with it.</param>
/// <param name="Number">1, 2, 3, … without gaps.</param>
/// <param name="Sql">One statement per entry.</param>
public sealed record Migration(string Module, int Number, params IReadOnlyList<string> Sql);
