using System.Collections.Immutable;
using System.Reflection;
using System.Text;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Options;

namespace Groundwork.Client.Receipts;

/// <summary>
/// Lets somebody who uses settings read them of one publication, and takes down what it read and what it says.
/// </summary>
internal sealed class SettingUsers(SettingsProvider provider, SettingOrigins origins, ReceiptBook book)
{
    /// <summary>Characters of an error that the platform keeps.</summary>
    private const int MaxErrorLength = 1024;

    /// <summary>Shorter values of secrets, such as numbers, stand in too many texts by chance.</summary>
    private const int MinSecretLength = 4;

    /// <summary>Begins a use, on this thread, until it is disposed.</summary>
    /// <param name="user">The same for each publication.</param>
    /// <param name="name">What messages call it.</param>
    public SettingUse Begin(object user, string name)
    {
        // Options made for every request read what passed already: they need no record.
        var read = book.HasPassed(user) ? null : new HashSet<string>(StringComparer.Ordinal);
        var pin = provider.PinCurrent(read);
        return new SettingUse(this, user, name, read, provider.Read.Versions, pin);
    }

    public void Forget(object user) => book.Forget(user);

    /// <summary>
    /// What is wrong, in one line of bounded length. Left out when a secret was read, for its words may be in it.
    /// </summary>
    public string Say(string name, Exception fault, IReadOnlyCollection<string> read)
    {
        while (fault is AggregateException or TargetInvocationException && fault.InnerException is { } inner)
            fault = inner;
        var kind = fault is OptionsValidationException ? "" : $"{fault.GetType().Name}: ";
        return Say(name, $"{kind}{fault.Message}", read);
    }

    /// <inheritdoc cref="Say(string, Exception, IReadOnlyCollection{string})"/>
    public string Say(string name, string wrong, IReadOnlyCollection<string> read)
    {
        var isSecret = read.Any(origins.IsSecret) || ContainsSecret(wrong);
        var text = isSecret ? "what is wrong is left out, because a secret setting was read" : wrong;
        var line = new StringBuilder(name.Length == 0 ? "" : $"{name}: ");
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length + rune.Utf16SequenceLength > MaxErrorLength) break;
            line.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }
        return line.ToString();
    }

    private bool ContainsSecret(string text) => provider.Current.Values.Values.Any(value =>
        value is { Origin.IsSecret: true, Text.Length: >= MinSecretLength }
        && text.Contains(value.Text, StringComparison.Ordinal));

    internal void Passed(object user, IEnumerable<string> read, ImmutableDictionary<string, SettingVersion> versions) =>
        book.Passed(user, read, versions);

    internal void IsAtWork(
        object user, IEnumerable<string> read, ImmutableDictionary<string, SettingVersion> versions) =>
        book.IsAtWork(user, read, versions);

    internal void Failed(
        object user, IEnumerable<string> read, ImmutableDictionary<string, SettingVersion> versions, string error) =>
        book.Failed(user, read, versions, error);
}

/// <summary>
/// One use of one publication. <see cref="Dispose"/> ends the reading; what became of it may be said later and from
/// another thread.
/// </summary>
internal sealed class SettingUse(
    SettingUsers users, object user, string name, HashSet<string>? read,
    ImmutableDictionary<string, SettingVersion> versions, SettingsProvider.Pin pin) : IDisposable
{
    public void Passed()
    {
        if (read is not null) users.Passed(user, read, versions);
    }

    public void IsAtWork()
    {
        if (read is not null) users.IsAtWork(user, read, versions);
    }

    /// <summary>Returns what is wrong, as it may be logged.</summary>
    public string Failed(Exception fault)
    {
        var error = users.Say(name, fault, read ?? []);
        users.Failed(user, read ?? [], versions, error);
        return error;
    }

    /// <inheritdoc cref="Failed(Exception)"/>
    public string Failed(string wrong)
    {
        var error = users.Say(name, wrong, read ?? []);
        users.Failed(user, read ?? [], versions, error);
        return error;
    }

    public void Dispose() => pin.Dispose();
}
