using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Groundwork.Tests.Architecture.Modules;

/// <summary>One type of an assembly using another type or a member of it.</summary>
/// <param name="From">The outermost type whose code this is: closures and state machines count as their author.</param>
/// <param name="Target">The used type, without generic arguments.</param>
/// <param name="Member">The used member's name; null when the type itself is used.</param>
/// <param name="IsInternal">True when the target's or the member's accessibility ends at its assembly.</param>
internal sealed record TypeUse(TypeDefinition From, TypeReference Target, string? Member, bool IsInternal)
{
    public string TargetName => Outermost(Target).FullName + (Member is null ? "" : $".{Member}");

    public static TypeReference Outermost(TypeReference type) =>
        type.DeclaringType is { } declaring ? Outermost(declaring) : type;
}

/// <summary>
/// Reads from IL every use of a type by another: in signatures, bodies, attributes, generic arguments and constraints.
/// Constants and nameof leave no trace in IL; <see cref="SourceUses"/> covers them.
/// </summary>
internal static class TypeUses
{
    public static IEnumerable<TypeUse> Of(ModuleDefinition assembly) =>
        assembly.Types.SelectMany(type => In(type, type)).Where(use => TypeUse.Outermost(use.Target) != use.From);

    private static IEnumerable<TypeUse> In(TypeDefinition type, TypeDefinition author)
    {
        var references = Bare(type.BaseType)
            .Concat(type.Interfaces.SelectMany(one => Bare(one.InterfaceType)))
            .Concat(type.GenericParameters.SelectMany(Constraints))
            .Concat(Attributes(type))
            .Concat(type.Fields.SelectMany(field => Bare(field.FieldType).Concat(Attributes(field))))
            .Concat(type.Properties.SelectMany(property => Bare(property.PropertyType).Concat(Attributes(property))))
            .Concat(type.Events.SelectMany(one => Bare(one.EventType).Concat(Attributes(one))))
            .Concat(type.Methods.SelectMany(Signature));
        foreach (var reference in references)
            yield return Use(author, reference);
        foreach (var use in type.Methods.SelectMany(method => Body(method, author)))
            yield return use;
        foreach (var use in type.NestedTypes.SelectMany(nested => In(nested, author)))
            yield return use;
    }

    private static IEnumerable<TypeReference> Signature(MethodDefinition method) =>
        Bare(method.ReturnType)
            .Concat(Attributes(method.MethodReturnType))
            .Concat(
                method.Parameters.SelectMany(parameter => Bare(parameter.ParameterType).Concat(Attributes(parameter))))
            .Concat(method.GenericParameters.SelectMany(Constraints))
            .Concat(method.Overrides.SelectMany(one => Bare(one.DeclaringType)))
            .Concat(Attributes(method));

    private static IEnumerable<TypeUse> Body(MethodDefinition method, TypeDefinition author)
    {
        if (!method.HasBody) yield break;
        foreach (var variable in method.Body.Variables)
            foreach (var type in Bare(variable.VariableType)) yield return Use(author, type);
        foreach (var handler in method.Body.ExceptionHandlers)
            foreach (var type in Bare(handler.CatchType)) yield return Use(author, type);
        foreach (var instruction in method.Body.Instructions)
            foreach (var use in Operand(instruction, author)) yield return use;
    }

    private static IEnumerable<TypeUse> Operand(Instruction instruction, TypeDefinition author)
    {
        switch (instruction.Operand)
        {
            case TypeReference type:
                foreach (var bare in Bare(type)) yield return Use(author, bare);
                break;
            case FieldReference field:
                yield return Member(author, field, definition => ((FieldDefinition)definition).IsPublic);
                foreach (var bare in Bare(field.DeclaringType).Concat(Bare(field.FieldType)))
                    yield return Use(author, bare);
                break;
            case MethodReference method:
                yield return Member(author, method, definition => ((MethodDefinition)definition).IsPublic);
                var types = Bare(method.DeclaringType)
                    .Concat(Bare(method.ReturnType))
                    .Concat(method.Parameters.SelectMany(parameter => Bare(parameter.ParameterType)))
                    .Concat(method is GenericInstanceMethod generic ? generic.GenericArguments.SelectMany(Bare) : []);
                foreach (var bare in types) yield return Use(author, bare);
                break;
        }
    }

    private static TypeUse Use(TypeDefinition author, TypeReference target) =>
        new(author, target, null, IsHere(author, target) && target.Resolve() is { } type && !IsVisible(type));

    private static TypeUse Member(TypeDefinition author, MemberReference member, Func<IMemberDefinition, bool> isPublic)
    {
        var declaring = member.DeclaringType.GetElementType();
        // A member is asked only in its own assembly: another assembly's internals the compiler has refused already.
        var isInternal = IsHere(author, declaring) && member.Resolve() is { } definition && !isPublic(definition);
        return new TypeUse(author, declaring, member.Name, isInternal);
    }

    private static bool IsHere(TypeDefinition author, TypeReference target) =>
        target is not GenericParameter && TypeUse.Outermost(target).Scope == author.Module;

    private static bool IsVisible(TypeDefinition type) =>
        type.IsNested ? type.IsNestedPublic && IsVisible(type.DeclaringType) : type.IsPublic;

    /// <summary>
    /// The types that a reference is made of: elements of arrays and pointers, a generic type and its arguments.
    /// </summary>
    private static IEnumerable<TypeReference> Bare(TypeReference? type)
    {
        switch (type)
        {
            case null or GenericParameter:
                yield break;
            case GenericInstanceType generic:
                yield return generic.ElementType;
                foreach (var argument in generic.GenericArguments.SelectMany(Bare)) yield return argument;
                break;
            case IModifierType modifier:
                foreach (var part in Bare(modifier.ElementType)) yield return part;
                break;
            case FunctionPointerType pointer:
                foreach (var part in Bare(pointer.ReturnType)) yield return part;
                foreach (var part in pointer.Parameters.SelectMany(one => Bare(one.ParameterType))) yield return part;
                break;
            case TypeSpecification specification:
                foreach (var part in Bare(specification.ElementType)) yield return part;
                break;
            default:
                yield return type;
                break;
        }
    }

    private static IEnumerable<TypeReference> Constraints(GenericParameter parameter) =>
        parameter.Constraints.SelectMany(constraint => Bare(constraint.ConstraintType));

    private static IEnumerable<TypeReference> Attributes(ICustomAttributeProvider provider) =>
        provider.CustomAttributes.SelectMany(attribute => Bare(attribute.AttributeType)
            .Concat(attribute.ConstructorArguments.SelectMany(Named))
            .Concat(attribute.Properties.SelectMany(property => Named(property.Argument))));

    private static IEnumerable<TypeReference> Named(CustomAttributeArgument argument) => argument.Value switch
    {
        TypeReference type => Bare(type),
        CustomAttributeArgument[] several => several.SelectMany(Named),
        _ => Bare(argument.Type),
    };
}
