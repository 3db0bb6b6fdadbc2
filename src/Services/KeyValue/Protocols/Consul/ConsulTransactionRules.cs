using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>One operation on a key in a transaction.</summary>
internal sealed record ConsulOperation(
    string Verb, byte[] Key, byte[] Value, ulong Flags, ulong Index, string Session)
{
    /// <summary>The key, or for a tree all that begin with it.</summary>
    public KeyRange Range => Verb is "get-tree" or "delete-tree" ? KeyRange.Prefix(Key) : KeyRange.One(Key);

    /// <summary>What it takes to do it.</summary>
    public Verb Needs => Verb switch
    {
        "set" or "cas" or "lock" or "unlock" => Kernel.Security.Verb.Write,
        "delete" or "delete-tree" or "delete-cas" => Kernel.Security.Verb.Delete,
        _ => Kernel.Security.Verb.Read,
    };
}

/// <summary>
/// Reads the body of a transaction: a list of <c>{"KV": {Verb, Key, Value, Flags, Index, Session}}</c>.
/// </summary>
internal static class ConsulTransactionRules
{
    private static readonly HashSet<string> Verbs = new(StringComparer.Ordinal)
    {
        "set", "cas", "lock", "unlock", "get", "get-or-empty", "get-tree", "check-index", "check-session",
        "check-not-exists", "delete", "delete-tree", "delete-cas",
    };

    /// <summary>The operations; a fault's detail is Consul's text.</summary>
    public static Outcome<List<ConsulOperation>> Read(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Array) return Wrong("the body is no list");
            if (document.RootElement.GetArrayLength() > ConsulLimits.MaxOperations)
                return new Fault(
                    ErrorCodes.BodyTooLarge,
                    $"Transaction contains too many operations (> {ConsulLimits.MaxOperations})");
            var operations = new List<ConsulOperation>();
            foreach (var item in document.RootElement.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Object || Field(item, "KV") is not
                    { ValueKind: JsonValueKind.Object } operation)
                    return Wrong("only operations on KV are known here");
                if (!Read(operation).TryGet(out var read, out var fault)) return fault;
                operations.Add(read);
            }
            return operations;
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            return Wrong("a field is not of its type");
        }
    }

    /// <summary>A field by its name in any case, as Go reads JSON.</summary>
    public static JsonElement? Field(JsonElement item, string name)
    {
        foreach (var property in item.EnumerateObject())
            if (property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) return property.Value;
        return null;
    }

    private static Outcome<ConsulOperation> Read(JsonElement operation)
    {
        var verb = Text(operation, "Verb");
        if (!Verbs.Contains(verb)) return Wrong($"the verb '{verb}' is not known");
        var key = Encoding.UTF8.GetBytes(Text(operation, "Key"));
        if (key.Length == 0 && !verb.EndsWith("-tree", StringComparison.Ordinal)) return Wrong("a key is missing");
        var value = Field(operation, "Value") is { ValueKind: JsonValueKind.String } given
            ? given.GetBytesFromBase64()
            : [];
        return new ConsulOperation(
            verb, key, value, Number(operation, "Flags"), Number(operation, "Index"), Text(operation, "Session"));
    }

    private static string Text(JsonElement item, string name) =>
        Field(item, name) is { } field && field.ValueKind != JsonValueKind.Null ? field.GetString() ?? "" : "";

    private static ulong Number(JsonElement item, string name) =>
        Field(item, name) is { } field && field.ValueKind != JsonValueKind.Null ? field.GetUInt64() : 0;

    private static Fault Wrong(string detail) => new(ErrorCodes.BadRequest, $"Failed to parse body: {detail}");
}
