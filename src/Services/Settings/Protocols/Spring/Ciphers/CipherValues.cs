using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Ciphers;

/// <summary>Puts in the place of values that begin with <c>{cipher}</c> what they stand for.</summary>
internal sealed class CipherValues(CipherKeys keys, Authorizer authorizer, AuditLog? audit)
{
    /// <summary>What a value begins with that is encrypted.</summary>
    public const string Prefix = "{cipher}";

    /// <summary>What stands before the key of a value that cannot be decrypted, and in its place.</summary>
    private const string InvalidPrefix = "invalid.";
    private const string NotThere = "<n/a>";

    /// <summary>
    /// The documents of a file with all values in clear, which takes <c>read-secret</c> where there is one: a service
    /// must not start without its password.
    /// </summary>
    public Outcome<List<PropertySource>> Open(List<PropertySource> documents, ConfigFile file, SettingCaller caller)
    {
        if (!keys.HasAny || !documents.Exists(one => one.Properties.Any(IsEncrypted))) return documents;
        if (authorizer.Authorize(caller.Principal, Verb.ReadSecret, file.Target) is { } refused)
        {
            audit?.Append(new AuditEvent(
                caller.Principal.Name, "refused", file.Target.ToString(), refused.Error.Code, caller.Address));
            return refused;
        }
        audit?.Append(new AuditEvent(
            caller.Principal.Name, "secret-read", file.Target.ToString(), AuditLog.Ok, caller.Address));
        return documents.ConvertAll(one => one with { Properties = [.. one.Properties.Select(Open)] });
    }

    private static bool IsEncrypted(KeyValuePair<string, PropertyValue> property) =>
        property.Value.IsText && property.Value.Text.StartsWith(Prefix, StringComparison.Ordinal);

    private KeyValuePair<string, PropertyValue> Open(KeyValuePair<string, PropertyValue> property)
    {
        if (!IsEncrypted(property)) return property;
        var text = keys.Split(property.Value.Text[Prefix.Length..], out var name);
        return keys.Find(name)?.Decrypt(text) is { } clear
            ? KeyValuePair.Create(property.Key, property.Value with { Text = clear })
            : KeyValuePair.Create(InvalidPrefix + property.Key, property.Value with { Text = NotThere });
    }
}
