using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Transforms;

/// <summary>What a route does to requests and answers: compiled. Null parts are what it leaves alone.</summary>
internal sealed record RouteTransform(
    PathEdit? Path, QueryEdit? Query, FieldEdits? Request, FieldEdits? Answer, TextTemplate? Host = null)
{
    /// <summary>Null when there is nothing to do, or nothing but to cut a prefix off.</summary>
    public static RouteTransform? Compile(RouteSpec spec, PathPattern path)
    {
        var transform = new RouteTransform(
            PathEdit.Compile(spec.Request?.Path, path),
            QueryEdit.Compile(spec.Request?.Query, path),
            FieldEdits.Compile(spec.Request?.Headers, path),
            FieldEdits.Compile(spec.Response?.Headers, path),
            spec.Request?.Host is { } host ? TextTemplate.Parse(host, path) : null);
        // Which everybody cuts off by its length.
        if (spec.Request?.Path is { AddPrefix: null, Template: null }) transform = transform with { Path = null };
        return transform is { Path: null, Query: null, Request: null, Answer: null, Host: null } ? null : transform;
    }

    /// <summary>What becomes of this request and of its answer.</summary>
    public Transformed Apply(in RequestView view, PathParameters parameters)
    {
        var request = new List<WrittenField>();
        Request?.Rename(view.Fields, request);
        Request?.Write(view, parameters, request);
        var answer = new List<WrittenField>();
        Answer?.Write(view, parameters, answer);
        return new Transformed(
            this, Path?.Write(view, parameters), Query?.Write(view, parameters), request, answer)
        {
            Host = Host?.Write(view, parameters),
        };
    }
}

/// <summary>What has become of one request.</summary>
/// <param name="Path">The path that the service gets; null: as it is.</param>
/// <param name="Query">The query that it gets, without <c>?</c>; null: as it is.</param>
/// <param name="RequestFields">Fields that it gets besides those that <see cref="RemovesFromRequest"/> leaves.</param>
/// <param name="AnswerFields">Fields that the client gets besides those of the answer.</param>
internal sealed record Transformed(
    RouteTransform Of, byte[]? Path, byte[]? Query, List<WrittenField> RequestFields, List<WrittenField> AnswerFields)
{
    /// <summary>The name that the service gets; null or empty, as of a client that names none: its own.</summary>
    public byte[]? Host { get; init; }

    /// <summary>Bytes that the request grows by at most, each field with what is around it.</summary>
    public int RequestBytes =>
        (Path?.Length ?? 0) + (Query?.Length ?? 0) + (Host?.Length ?? 0) + 1
        + RequestFields.Sum(one => one.Name.Length + one.Value.Length + 4);

    /// <summary>Bytes that the head of the answer grows by at most, besides new names of fields.</summary>
    public int AnswerBytes { get; } =
        AnswerFields.Sum(one => one.Name.Length + one.Value.Length + 4) + (Of.Answer?.RenamedBytes ?? 0);

    /// <summary>True for a field of the request that is not passed on as it came.</summary>
    public bool RemovesFromRequest(ReadOnlySpan<byte> name) => Of.Request?.Removes(name) == true;

    /// <summary>True for a field of the answer that is not passed on as it came.</summary>
    public bool RemovesFromAnswer(ReadOnlySpan<byte> name) => Of.Answer?.Removes(name) == true;

    /// <summary>The name under which a removed field of the answer is passed on; empty when it is not.</summary>
    public ReadOnlySpan<byte> NewNameInAnswer(ReadOnlySpan<byte> name) =>
        Of.Answer is { } edits ? edits.NewNameOf(name) : [];
}
