using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>Goes through the values of a request's head.</summary>
internal static class HeadInspection
{
    public static void Inspect(Exchange exchange, InspectionPlan plan, ref InspectionRun run)
    {
        var head = exchange.Request;
        run.Look(head.Path, Coding.Escaped, ValuePlace.Path, "path", default);
        // Usually that is all there is to say of it: not a byte that means anything to anybody.
        if (!head.Query.IsEmpty && !Inspector.IsPlainQuery(head.Query[1..]))
            Inspect(head.Query[1..], "query", ref run);
        foreach (var name in plan.Headers)
        {
            var from = 0;
            while (exchange.Fields.TryGetNext(name, ref from, out var value))
                run.Look(value, Coding.Field, ValuePlace.Header, "header", name);
        }
        if (head.Fields.Has(KnownField.Cookie)) InspectCookies(exchange, ref run);
    }

    /// <summary>A query, or a form that is written like one.</summary>
    public static void Inspect(ReadOnlySpan<byte> query, string part, ref InspectionRun run)
    {
        while (QueryText.TryTakeNext(ref query, out var name, out var value))
        {
            // A name goes into statements and pages as often as a value, where somebody lists what he was sent.
            // It is not told: where there is no value it may be one, and a secret.
            run.Look(name, Coding.Form, ValuePlace.Parameter, "a name of the query or form", default);
            run.Look(value, Coding.Form, ValuePlace.Parameter, part, name);
        }
    }

    private static void InspectCookies(Exchange exchange, ref InspectionRun run)
    {
        var from = 0;
        while (exchange.Fields.TryGetNext("cookie"u8, ref from, out var cookies))
            while (CookieText.TryTakeNext(ref cookies, out var name, out var value))
                run.Look(value, Coding.Cookie, ValuePlace.Cookie, "cookie", name);
    }
}
