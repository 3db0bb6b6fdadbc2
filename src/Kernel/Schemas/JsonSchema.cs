namespace Groundwork.Kernel.Schemas;

/// <summary>A schema that is read, ready to hold values to.</summary>
/// <param name="Tracks">True when somewhere in its document it counts which parts of a value were looked at.</param>
public sealed record JsonSchema(SchemaNode Root, bool Tracks);
