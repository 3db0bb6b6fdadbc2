using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Groundwork.Client.Generators;

/// <summary>Everything that can be wrong with the interface of a typed client.</summary>
internal static class ClientRules
{
    public static readonly DiagnosticDescriptor NotPartial = Rule(
        1, "The interface is not partial",
        "Interface '{0}' must be partial, so that its client can be written into it");

    public static readonly DiagnosticDescriptor NestedOrGeneric = Rule(
        2, "The interface is nested or generic",
        "Interface '{0}' must stand in a namespace and have no type parameters");

    public static readonly DiagnosticDescriptor ServiceName = Rule(
        3, "The service's name is wrong",
        "'{0}' is no service: a service's name is 1 to 128 of a-z, 0-9, '.', '_' and '-'");

    public static readonly DiagnosticDescriptor Verb = Rule(
        4, "The method has not one HTTP method",
        "Method '{0}' needs exactly one of [Get], [Post], [Put], [Patch], [Delete] and [Head]");

    public static readonly DiagnosticDescriptor ReturnType = Rule(
        5, "The return type is not supported",
        "Method '{0}' returns '{1}'; it must return Task, or Task of a type read from JSON, string, byte[], Stream or "
        + "HttpResponseMessage");

    public static readonly DiagnosticDescriptor Template = Rule(6, "The path is wrong", "Path '{0}': {1}");

    public static readonly DiagnosticDescriptor NoParameter = Rule(
        7, "A placeholder has no parameter", "'{{{0}}}' of path '{1}' is no parameter of method '{2}'");

    public static readonly DiagnosticDescriptor NoPlace = Rule(
        8, "The parameter has not one place",
        "Parameter '{0}' must be in the path as {{{0}}} or have exactly one of [Query], [Header] and [Body]");

    public static readonly DiagnosticDescriptor Body = Rule(
        9, "The body is wrong", "Method '{0}' has more than one body, or one that {1} does not carry");

    public static readonly DiagnosticDescriptor Shape = Rule(
        10, "The method cannot be called over HTTP",
        "Method '{0}' must not be generic, and its parameters not ref, in or out");

    public static readonly DiagnosticDescriptor Member = Rule(
        11, "The member is no call", "'{0}' of interface '{1}' is no method that a client can be written for");

    public static readonly DiagnosticDescriptor HeaderName = Rule(
        12, "The header's name is wrong", "'{0}' is no name of a request's header that a client may set");

    public static readonly DiagnosticDescriptor ParameterType = Rule(
        13, "The parameter's type has no text",
        "Parameter '{0}' is a '{1}', which cannot be written there: text, numbers, enums, dates, Guids and other "
        + "IFormattable types can, and lists of them in [Query]");

    public static readonly DiagnosticDescriptor Tokens = Rule(
        14, "There are two cancellation tokens", "Method '{0}' has more than one CancellationToken");

    public static ImmutableDictionary<string, DiagnosticDescriptor> ById { get; } = new[]
    {
        NotPartial, NestedOrGeneric, ServiceName, Verb, ReturnType, Template, NoParameter, NoPlace, Body, Shape, Member,
        HeaderName, ParameterType, Tokens,
    }.ToImmutableDictionary(rule => rule.Id);

    private static DiagnosticDescriptor Rule(int number, string title, string message) => new(
        $"GWC{number:000}", title, message, "Groundwork.Client", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
