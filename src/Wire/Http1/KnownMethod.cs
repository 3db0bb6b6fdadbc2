namespace Groundwork.Wire.Http1;

/// <summary>Methods whose meaning somebody here has to know; every other is <see cref="Other"/>.</summary>
public enum KnownMethod : byte
{
    Other,
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    Connect,
    Trace,
}

/// <summary>Finds a method by its name; methods are case-sensitive.</summary>
public static class KnownMethods
{
    private static readonly string[] Names =
        ["", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

    public static KnownMethod Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        3 => name.SequenceEqual("GET"u8) ? KnownMethod.Get
            : name.SequenceEqual("PUT"u8) ? KnownMethod.Put : KnownMethod.Other,
        4 => name.SequenceEqual("POST"u8) ? KnownMethod.Post
            : name.SequenceEqual("HEAD"u8) ? KnownMethod.Head : KnownMethod.Other,
        5 => name.SequenceEqual("PATCH"u8) ? KnownMethod.Patch
            : name.SequenceEqual("TRACE"u8) ? KnownMethod.Trace : KnownMethod.Other,
        6 => name.SequenceEqual("DELETE"u8) ? KnownMethod.Delete : KnownMethod.Other,
        7 => name.SequenceEqual("OPTIONS"u8) ? KnownMethod.Options
            : name.SequenceEqual("CONNECT"u8) ? KnownMethod.Connect : KnownMethod.Other,
        _ => KnownMethod.Other,
    };

    /// <summary>The method's name; empty for <see cref="KnownMethod.Other"/>.</summary>
    public static string NameOf(KnownMethod method) => Names[(int)method];
}
