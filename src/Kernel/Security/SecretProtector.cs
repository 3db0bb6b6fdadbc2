using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Encrypts the secret fields of a spec before it reaches the log, and masks or opens them on the way out. AES-256-GCM under
/// a working key whose id stands in the ciphertext; the resource's key and field path are authenticated with it.
/// </summary>
public sealed class SecretProtector
{
    /// <summary>
    /// The spec with every secret field encrypted: <c>{"secret":"sha256:…","key":"…","sealed":"…"}</c>. A field that holds
    /// the masked form keeps the value of <paramref name="before"/>, or is <c>secret_mismatch</c>.
    /// </summary>
    public Outcome<ReadOnlyMemory<byte>> Protect(Kind kind, ResourceKey key, ReadOnlyMemory<byte> spec, Resource? before) =>
        throw new NotSupportedException();

    /// <summary>The spec with every secret field as <c>{"secret":"sha256:…"}</c>; the same bytes when there is none.</summary>
    public ReadOnlyMemory<byte> Mask(Kind? kind, ReadOnlyMemory<byte> spec) => throw new NotSupportedException();

    /// <summary>The spec with every secret field in clear. The caller has checked <see cref="Verb.ReadSecret"/>.</summary>
    public ReadOnlyMemory<byte> Open(Kind kind, ResourceKey key, ReadOnlyMemory<byte> spec) => throw new NotSupportedException();
}
