using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Access.Callers;

/// <summary>How services of one route are told who calls.</summary>
internal sealed class IdentityForm(IdentitySpec? spec, IdentitySigner signer)
{
    private static readonly byte[] IdentityField = Encoding.ASCII.GetBytes(HeaderNames.Identity);
    private static readonly byte[] WithheldIdentity = "groundwork-identity"u8.ToArray();

    private readonly IdentitySpec spec = spec ?? new IdentitySpec();

    /// <summary>
    /// Gives the instance the fields that name the caller. What an earlier step gave it goes: there is one story.
    /// </summary>
    /// <param name="now">Seconds since 1970.</param>
    public void AddTo(Exchange exchange, CallerIdentity identity, double now)
    {
        var fields = exchange.RequestFields;
        if (exchange.Caller is not null) RemoveOurs(fields);
        exchange.Caller = identity.Caller;
        foreach (var field in identity.Fields) fields.Add(field);
        exchange.WithheldFields.Add(WithheldIdentity);
        if (!spec.Signed) return;
        var signed = identity.Signed;
        if (signed is null || !ReferenceEquals(signed.For, this) || now >= signed.RenewAt)
        {
            signed = new SignedIdentity(
                this, now + IdentitySigner.RenewSeconds,
                new WrittenField(
                    IdentityField, signer.Sign(identity, spec.Audience, spec.Claims ?? [], now)));
            identity.Signed = signed;
        }
        fields.Add(signed.Field);
    }

    private static void RemoveOurs(List<WrittenField> fields)
    {
        for (var index = fields.Count - 1; index >= 0; index--)
        {
            var name = fields[index].Name;
            // Only we write them, always under these very names.
            if (ReferenceEquals(name, CallerIdentity.UserField) || ReferenceEquals(name, CallerIdentity.KeyField)
                || ReferenceEquals(name, CallerIdentity.TenantField) || ReferenceEquals(name, IdentityField))
                fields.RemoveAt(index);
        }
    }
}
