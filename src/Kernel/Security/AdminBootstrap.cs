using System.Security.Cryptography;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The first operator of an install. Its password is made, never a default, and lies in a file before the operator
/// exists, so that a crash in between loses neither.
/// </summary>
public static class AdminBootstrap
{
    public const string OperatorName = "admin";

    /// <summary>Name of the file in the data directory.</summary>
    public const string FileName = "admin-password";

    // 24 of 57 characters that do not look alike: 139 random bits.
    private const string PasswordAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    private const int PasswordLength = 24;

    /// <summary>
    /// Makes the operator when the store has none; of several nodes that start at once, one does. Null when it was
    /// there.
    /// </summary>
    /// <param name="directory">The data directory; the password is in the file <see cref="FileName"/> there.</param>
    public static async Task<Outcome<FirstPassword?>> RunAsync(
        ChangeLog changes, string directory, CancellationToken cancellationToken)
    {
        if (changes.Snapshots.Current.Count(SecurityKinds.Operator.Name) > 0) return (FirstPassword?)null;
        var password = RandomNumberGenerator.GetString(PasswordAlphabet, PasswordLength);
        var path = Path.Combine(directory, FileName);
        SecretFile.Replace(path, password + "\n");
        var spec = new OperatorSpec(
            SecretText.Of(PasswordHash.Create(password)), [BuiltInRoles.Administrator], "Made at the first start");
        var commit = await changes.CommitAsync(
            new Changeset(
                Principal.System("bootstrap"), [Change.Put(SecurityKinds.Operator, "", OperatorName, spec, expect: 0)])
            {
                Reason = "The store had no operator.",
            },
            cancellationToken);
        if (commit.TryGet(out _, out var fault)) return new FirstPassword(password, path);
        File.Delete(path);
        // Another node was first; its operator is the one.
        return fault.Error == ErrorCodes.RevisionConflict ? (FirstPassword?)null : fault;
    }
}

/// <summary>The password of the first operator, and the file it lies in until it has been shown.</summary>
public sealed record FirstPassword(string Password, string Path)
{
    /// <summary>Removes the file, once a person has seen the password on a terminal.</summary>
    public void Shown() => File.Delete(Path);

    public override string ToString() => Path;
}
