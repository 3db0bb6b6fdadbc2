using System.Text;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>The fields of a request's head, as routes look at them.</summary>
internal sealed class ExchangeFields(FieldTable table) : IRequestFields
{
    public bool TryGetNext(scoped ReadOnlySpan<byte> name, scoped ref int from, out ReadOnlySpan<byte> value)
    {
        value = default;
        var known = KnownFields.Find(name);
        if (known != KnownField.Other && !table.Has(known)) return false;
        var fields = table.Fields;
        while (from < fields.Length)
        {
            ref readonly var field = ref fields[from++];
            if (field.Known != known || field.NameLength != name.Length) continue;
            if (known == KnownField.Other && !Ascii.EqualsIgnoreCase(table.NameOf(field), name)) continue;
            value = table.ValueOf(field);
            return true;
        }
        return false;
    }
}
